"""What a validator found: one estimate, how sure it is, and a verdict with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import model_validator

from convsim.schema.details import AnyDetails, Details, Interval
from convsim.schema.record import Count, Name, Number, Record, Text

Verdict = Literal[
    "aligned", "different", "undecided",
    "reacts_as_people", "does_not_react", "under_reacts", "over_reacts", "reacts_wrong_way",
    "copies", "failed",
]  # fmt: skip
"""``copies``: simulated conversations lie nearer to the people that they are judged on than people lie to each other.
``failed``: the validator, or the metric that it was to judge, raised; nothing was found out."""
FAILING: frozenset[Verdict] = frozenset(
    {"different", "does_not_react", "under_reacts", "over_reacts", "reacts_wrong_way", "copies"}
)
"""The verdicts that ``--fail-on different`` fails on."""


class HumanBaseline(Record):
    """How far two random groups of people of the same sizes differ, in the estimate's unit: mean and 95 % point."""

    mean: Number
    q95: Number


class Finding(Record):
    """One answer to one question; undefined numbers are null, never NaN and never a silent 0."""

    validator: Name
    metric: Name
    question: Text
    estimate: Number | None = None
    unit: Text
    interval: Interval | None = None
    level: Number = 0.95
    p_value: Number | None = None
    p_adjusted: Number | None = None
    noise_floor: HumanBaseline | None = None
    verdict: Verdict
    reason: Text
    n_real: Count
    n_simulated: Count
    seed: int
    version: Text
    source: Text
    details: AnyDetails = Details()

    @model_validator(mode="before")
    @classmethod
    def _failed_as_it_was_written_once(cls, data: Any) -> Any:
        """Read ``details.failed``, as earlier versions wrote it, for what is a verdict now."""
        details = data.get("details") if isinstance(data, dict) else None
        if not isinstance(details, Mapping) or details.get("failed") is not True:
            return data
        others = {key: value for key, value in details.items() if key != "failed"}
        return {**data, "verdict": "failed", "details": others}

    @property
    def is_control(self) -> bool:
        """Whether the finding is shown only: in no correction, headline or gate."""
        return self.details.get("role") == "control"
