"""Where one simulator stands among several that were held against the same people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from pydantic import Field, JsonValue

from convsim.schema.corpus import Corpus
from convsim.schema.details import Interval
from convsim.schema.record import Count, Name, Number, Record, Text


class Standing(Record):
    """One number of one simulator, or of one against another; undefined numbers are null and have a reason."""

    validator: Name
    metric: Name
    question: Text
    simulator: Name
    against: Name | None = None
    """The other simulator, where the number is of a pair."""
    estimate: Number | None = None
    unit: Text
    interval: Interval | None = None
    level: Number = 0.95
    reason: Text
    n_real: Count
    n_simulated: Count
    seed: int
    version: Text
    source: Text
    details: dict[str, JsonValue] = Field(default_factory=dict)


@runtime_checkable
class Comparer(Protocol):
    """A validator that has something to say on several simulators at once."""

    @property
    def name(self) -> str:
        """What the validator is called in records."""
        ...

    def compare(self, real: Corpus, simulated: Mapping[str, Corpus], *, seed: int) -> Sequence[Standing]:
        """Return the standings of simulators, by name; never raise for data that merely decide nothing."""
        ...
