"""The document of a comparison: both sides, what to be warned of, and the findings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from convsim.annotation.agreement import AgreementReport
from convsim.evaluation.headline import headlines_of, overall
from convsim.evaluation.spending import PerDecided, RunUse
from convsim.schema import FAILING, Finding, Gap, GateResult, Headline
from convsim.schema.conversation import Conversation
from convsim.schema.record import Count, Record, Text
from convsim.schema.versions import Versions
from convsim.text.language import Language, tell_language

if TYPE_CHECKING:
    import pandas as pd

    from convsim.report.plots import Plot

FailOn = Literal["different", "undecided", "worse"]


class SideSummary(Record):
    """One side of a comparison; ``arms`` and ``tasks`` count conversations."""

    path: Text | None
    sha256: Text | None
    n: Count
    simulator: Text | None
    arms: dict[str, Count]
    tasks: dict[str, Count]
    language: Language | None = None
    """What the users write in; null in documents of earlier versions."""

    @classmethod
    def of(
        cls, conversations: Sequence[Conversation], *, path: str | None, sha256: str | None
    ) -> SideSummary:
        """Summarise conversations; several simulators are named together."""
        simulators = sorted({c.simulator for c in conversations if c.simulator is not None})
        arms = Counter(c.arm or "-" for c in conversations)
        tasks = Counter(c.task or "-" for c in conversations)
        return cls(
            path=path,
            sha256=sha256,
            n=len(conversations),
            simulator=", ".join(simulators) or None,
            arms=dict(sorted(arms.items())),
            tasks=dict(sorted(tasks.items())),
            language=tell_language("\n".join(m.content for m in c.user_messages) for c in conversations),
        )


class MadeBy(Record):
    """What made a scorecard: convsim's version, and the words of the command where one was typed."""

    convsim: Text
    command: tuple[Text, ...] = ()


class Scorecard(Record):
    """What ``findings.json`` holds."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.findings/1"] = Field("convsim.findings/1", alias="schema")
    real: SideSummary | None
    """Null where nothing is held against people: dose-response and metamorphic relations."""
    simulated: SideSummary
    made_by: MadeBy | None = None
    warnings: tuple[Text, ...] = ()
    reliability: tuple[AgreementReport, ...] = ()
    """How far the annotators whose labels were compared agree with people, where that is known."""
    headlines: tuple[Headline, ...] = ()
    """One verdict a family of questions, then one of all; they follow from the findings."""
    gate: GateResult | None = None
    """What a team's gate said of them; null where none was held against them."""
    gaps: tuple[Gap, ...] = ()
    """What to change first: in what the simulator is shown to be unlike people, the most important first."""
    baseline: Versions | None = None
    """What got better and what got worse since an earlier scorecard; null where none was given."""
    run: RunUse | None = None
    """What the simulated run asked of its models; absent where no run folder says it."""
    per_decided: PerDecided | None = None
    """What was spent for each decided finding; absent where the simulated conversations do not say what they used."""
    findings: tuple[Finding, ...] = ()

    @model_validator(mode="after")
    def _lead_with_headlines(self) -> Self:
        """State the headlines, which a document of an earlier version lacks and a changed one would have wrong."""
        families = headlines_of(self.findings)
        whole = overall(families, self.findings)
        object.__setattr__(self, "headlines", (*families, *([whole] if whole else [])))
        return self

    @model_serializer(mode="wrap")
    def _without_what_nobody_measured(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        unknown = {name for name in ("run", "per_decided") if getattr(self, name) is None}
        return {name: value for name, value in dump(self).items() if name not in unknown}

    def to_dict(self) -> dict[str, Any]:
        """Return what ``findings.json`` holds, as JSON has it: lists for tuples, None for what is undefined."""
        return self.model_dump(mode="json", by_alias=True)

    def to_json(self) -> str:
        """Return the document as indented JSON with a final newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a finding, in their order: numbers are floats, NaN where undefined; ``details`` stay objects.

        The limits of an interval are ``interval_low`` and ``interval_high``, those of chance ``noise_floor_mean`` and
        ``noise_floor_q95``; ``control`` tells what is shown only. The columns are the same if there is no finding.
        """
        from convsim.evaluation.frames import findings_frame

        return findings_frame(self.findings)

    def plot(self, what: str | None = None) -> Plot:
        """Draw a figure, to look at in a notebook or to save: ``card.plot().savefig("distances.pdf")``.

        Args:
            what: ``"distances"``, ``"recognition"`` or ``"shifts"``; by default the first of them that there is.

        Raises:
            InputError: There is no such figure, or nothing to draw.
        """
        from convsim.report.plots import scorecard_plot

        return scorecard_plot(self, what)

    def to_latex(self) -> str:
        """Return the judged findings as a LaTeX table (booktabs); whatever a name holds is escaped."""
        from convsim.report.latex import scorecard_latex

        return scorecard_latex(self)

    def __str__(self) -> str:
        from convsim.report.glance import scorecard_text

        return scorecard_text(self)

    def __repr__(self) -> str:
        counts = Counter(finding.verdict for finding in self.judged)
        found = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items())) or "nothing judged"
        people = "" if self.real is None else f"{self.real.n} real, "
        return f"Scorecard({people}{self.simulated.n} simulated: {found})"

    def _repr_html_(self) -> str:
        from convsim.report.notebook import scorecard_html

        return scorecard_html(self)

    @property
    def judged(self) -> tuple[Finding, ...]:
        """The findings without controls."""
        return tuple(finding for finding in self.findings if not finding.is_control)

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that stand for a validator, or a metric, that raised."""
        return tuple(finding for finding in self.findings if finding.verdict == "failed")

    def failing(self, fail_on: FailOn) -> tuple[Finding, ...]:
        """Return the findings that a gate at ``fail_on`` fails on; ``undecided`` includes all but passes.

        What is ``worse`` is no finding of its own: it stands in ``baseline``.
        """
        if fail_on == "worse":
            return ()
        verdicts = FAILING if fail_on == "different" else FAILING | {"undecided", "failed"}
        return tuple(finding for finding in self.judged if finding.verdict in verdicts)

    def fails(self, fail_on: FailOn) -> bool:
        """Tell whether a gate at ``fail_on`` fails; at ``worse`` it asks what got worse since the baseline."""
        if fail_on == "worse":
            return self.baseline is not None and bool(self.baseline.worse)
        return bool(self.failing(fail_on))
