"""What a validator found: one estimate, how sure it is, and a verdict with its reason."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from convsim.records import Count, Name, Number, Record, Text

Verdict = Literal[
    "aligned", "different", "undecided",
    "reacts_as_people", "does_not_react", "under_reacts", "over_reacts", "reacts_wrong_way",
]  # fmt: skip
FAILING: frozenset[Verdict] = frozenset(
    {"different", "does_not_react", "under_reacts", "over_reacts", "reacts_wrong_way"}
)
"""The verdicts that ``--fail-on different`` fails on."""

Interval = tuple[Number, Number]


class NoiseFloor(Record):
    """What people are from people at the same sizes, in the estimate's unit: mean and 95 % point."""

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
    noise_floor: NoiseFloor | None = None
    verdict: Verdict
    reason: Text
    n_real: Count
    n_simulated: Count
    seed: int
    version: Text
    source: Text
    details: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def is_control(self) -> bool:
        """Whether the finding is shown only: in no correction, headline or gate."""
        return self.details.get("role") == "control"
