"""The document of a plan: what these people can decide with how many simulated conversations, and what would not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.scorecard import MadeBy, SideSummary
from convsim.schema import HeadlineName, Needs, PlannedFinding
from convsim.schema.record import Count, Flag, Name, Record, Text
from convsim.stats.planning import two_figures
from convsim.stats.sample_size import POWER

if TYPE_CHECKING:
    import pandas as pd

EVEN = 0.5
"""A power from which it is said although it is less than 80 %."""


class PlannedHeadline(Record):
    """Whether one family of questions will be decided, if the simulator is like people."""

    name: HeadlineName
    validator: Name
    metric: Name
    """With ``validator``: the planned finding that it stands on."""
    decided: Flag
    """With the first number of simulated conversations, in four of five cases."""
    simulated: Count | None
    """How many simulated conversations decide it, an arm where arms are compared; null where no number is known to."""
    needs: Needs | None
    said: Text
    """The same in words."""


class Plan(Record):
    """What ``plan.json`` holds."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.plan/1"] = Field("convsim.plan/1", alias="schema")
    real: SideSummary
    n_units_real: Count
    """Users, or what else is independent."""
    seed: int
    made_by: MadeBy | None = None
    control: Text | None = None
    treatment: Text | None = None
    warnings: tuple[Text, ...] = ()
    summary: Text = ""
    """The headlines in one sentence; it follows from the findings, as they do."""
    headlines: tuple[PlannedHeadline, ...] = ()
    findings: tuple[PlannedFinding, ...] = ()
    not_planned: tuple[Name, ...] = ()
    """Validators that would run, of which nothing is known beforehand."""
    failed: tuple[Text, ...] = ()
    """What validators raised."""

    @model_validator(mode="after")
    def _lead_with_headlines(self) -> Self:
        headlines = tuple(self._headlines())
        object.__setattr__(self, "headlines", headlines)
        object.__setattr__(self, "summary", summary(self.who, headlines))
        return self

    def _headlines(self) -> Sequence[PlannedHeadline]:
        like_people = {(f.validator, f.metric): f for f in self.findings if f.truth == "like_people"}
        return [
            _headline(name, like_people[stands_on])
            for name, stands_on in STANDS_ON.items()
            if stands_on in like_people
        ]

    @property
    def who(self) -> str:
        """The people, in words."""
        who = "person" if self.n_units_real == 1 else "people"
        if self.n_units_real == self.real.n:
            return f"this one {who}" if self.real.n == 1 else f"these {self.real.n:,} {who}"
        return f"these {self.real.n:,} conversations of {self.n_units_real:,} {who}"

    @property
    def of_metrics(self) -> tuple[PlannedFinding, ...]:
        """The findings that no headline stands on."""
        stand = {(h.validator, h.metric) for h in self.headlines}
        return tuple(f for f in self.findings if (f.validator, f.metric) not in stand)

    @property
    def of_headlines(self) -> tuple[tuple[HeadlineName, PlannedFinding], ...]:
        """The findings that headlines stand on, whatever the simulator is taken to be."""
        return tuple(
            (h.name, f)
            for h in self.headlines
            for f in self.findings
            if (f.validator, f.metric) == (h.validator, h.metric)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what ``plan.json`` holds, as JSON has it: lists for tuples, None for what is undefined."""
        return self.model_dump(mode="json", by_alias=True)

    def to_json(self) -> str:
        """Return the document as indented JSON with a final newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a question and number of simulated conversations; numbers that are not known are NaN."""
        from convsim.evaluation.frames import planned_frame

        return planned_frame(self.findings)

    def __str__(self) -> str:
        from convsim.report.planned import plan_text

        return plan_text(self)

    def __repr__(self) -> str:
        return f"Plan({self.summary})"

    def _repr_html_(self) -> str:
        from convsim.report.planned import plan_html

        return plan_html(self)


def an_arm(n: int, finding: PlannedFinding) -> int:
    """Return a number of conversations as it is told: an arm where arms are compared, rounded up."""
    return -(-n // finding.n_arms)


def enough(finding: PlannedFinding) -> int | None:
    """Return how many simulated conversations decide, as it is told: rounded up to two figures; None where none do."""
    if not finding.at:
        return None
    first = finding.at[0]
    if first.power >= POWER:
        return an_arm(first.n_simulated, finding)
    if finding.needs is None or finding.needs.side == "people":
        return None
    return two_figures(an_arm(first.n_simulated + finding.needs.more, finding))


def _headline(name: HeadlineName, finding: PlannedFinding) -> PlannedHeadline:
    return PlannedHeadline(
        name=name,
        validator=finding.validator,
        metric=finding.metric,
        decided=bool(finding.at) and finding.at[0].power >= POWER,
        simulated=enough(finding),
        needs=finding.needs,
        said=_said(name, finding),
    )


def _said(name: HeadlineName, finding: PlannedFinding) -> str:
    arm = " an arm" if finding.n_arms == 2 else ""
    verb = "is" if name in ("coherence", "diversity") else "are"
    simulated = enough(finding)
    if simulated is not None and finding.at[0].power >= POWER:
        return f"{name} {verb} decided with {simulated:,} simulated{arm} ({_percent(finding.at[0].power)})"
    if simulated is not None:
        return f"{name} need{'s' if verb == 'is' else ''} {simulated:,} simulated{arm}"
    if finding.needs is not None:
        more = f"about {an_arm(finding.needs.more, finding):,} more {people(finding)}{arm}"
        return f"{name} need{'s' if verb == 'is' else ''} {more}{_best(finding)}"
    if finding.at:
        return f"no number of people is known to decide {name}"
    return f"of {name} nothing can be told ({finding.reason})"


def _best(finding: PlannedFinding) -> str:
    """Say how near these people come, where that is at least an even chance."""
    if not finding.at or finding.at[-1].power < EVEN:
        return ""
    arm = " an arm" if finding.n_arms == 2 else ""
    return f" ({_percent(finding.at[-1].power)} with {an_arm(finding.at[-1].n_simulated, finding):,} simulated{arm})"


def _percent(power: float) -> str:
    return f"{100 * power:.0f} %"


def people(finding: PlannedFinding) -> str:
    """Say of whom there would have to be more: conversations where one person has several.

    Without a power, people are what is lacking to the least number that tells anything.
    """
    alone = not finding.at or finding.n_units_real >= finding.n_real
    return "people" if alone else "conversations of people"


def summary(who: str, headlines: Sequence[PlannedHeadline]) -> str:
    """Sum the headlines up in one sentence; if only more people decide anything, that first."""
    if not headlines:
        return f"With {who}: nothing is asked of which the power is known beforehand."
    decidable = any(h.simulated is not None for h in headlines)
    opening = (
        f"With {who}" if decidable else f"With {who}, nothing is decided for sure, whatever is simulated"
    )
    return f"{opening}: {', '.join(h.said for h in headlines)}."
