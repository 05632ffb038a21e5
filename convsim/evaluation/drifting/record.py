"""The document of a drift: each later period held against the first, and what changes along time."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import ConfigDict, Field

from convsim.evaluation.scorecard import MadeBy, SideSummary
from convsim.schema import Headline
from convsim.schema.finding import FAILING
from convsim.schema.record import Count, Name, Number, Record, Text

DriftVerdict = Literal["aligned", "different", "undecided"]
DriftFailOn = Literal["different", "undecided"]


class Differing(Record):
    """A finding in which a later period differs from the first."""

    validator: Name
    metric: Name
    estimate: Number | None
    unit: Text
    p_adjusted: Number | None
    reason: Text


class Period(Record):
    """One later period, held against the first by the suite that judges simulators."""

    name: Name
    side: SideSummary
    verdict: DriftVerdict
    reason: Text
    least_p: Number | None = None
    """The smallest corrected p-value of its findings; the period differs if it is at most alpha over all families."""
    warnings: tuple[Text, ...] = ()
    failed: tuple[Text, ...] = ()
    """Validators and metrics that failed, each with its reason."""
    headlines: tuple[Headline, ...] = ()
    differing: tuple[Differing, ...] = ()
    """The clearest first."""


class Change(Record):
    """One habit along time."""

    metric: Name
    unit: Text
    statistic: Number
    """The largest cumulative sum of ranks, in standard deviations."""
    p_adjusted: Number
    """Of H0 "units are exchangeable in time", corrected for all habits (step-down max-T)."""
    at: Text
    """The date of the first unit after the largest sum."""
    before: Number
    """The mean before that."""
    after: Number


class Drift(Record):
    """What ``drift.json`` holds."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.drift/1"] = Field("convsim.drift/1", alias="schema")
    by: Name
    """``file``, ``month``, ``year``, or a field."""
    date: Text | None
    """The field that holds the dates; null where no conversation has one."""
    reference: Name
    """The first period."""
    real: SideSummary
    alpha: Number
    n_families: Count
    """Later periods, and the cumulative sums where dates are known: alpha is divided by so many."""
    seed: int
    made_by: MadeBy | None = None
    verdict: DriftVerdict
    reason: Text
    null_hypothesis: Text
    source: Text
    warnings: tuple[Text, ...] = ()
    periods: tuple[Period, ...]
    left_out: dict[str, Count] = Field(default_factory=dict)
    """Periods with too few users or conversations, and how many these have."""
    changes: tuple[Change, ...] = ()
    """Every habit along time, the clearest first; empty where no dates are known."""

    @property
    def failed(self) -> tuple[str, ...]:
        """What failed in any period, each with its reason."""
        return tuple(f"{period.name}: {said}" for period in self.periods for said in period.failed)

    def failing(self, fail_on: DriftFailOn) -> bool:
        """Tell whether a gate at ``fail_on`` fails; ``undecided`` includes ``different``."""
        return self.verdict in (FAILING if fail_on == "different" else FAILING | {"undecided"})

    def to_dict(self) -> dict[str, Any]:
        """Return what ``drift.json`` holds, as JSON has it."""
        return self.model_dump(mode="json", by_alias=True)

    def to_json(self) -> str:
        """Return the document as indented JSON with a final newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def __str__(self) -> str:
        from convsim.report.drift import drift_text

        return drift_text(self)
