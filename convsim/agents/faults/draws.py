"""The draws of one fault: one uniform number a unit, so that a greater severity degrades the same units and more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from convsim.seeds import child_seed

T = TypeVar("T")


@dataclass(frozen=True)
class Draws:
    """Draws named by fault and unit, from a reply's seed: no fault moves another's, and arms share them."""

    seed: int
    fault: str
    severity: float

    def hits(self, *unit: str | int) -> bool:
        """Tell whether this unit is degraded; what is hit at one severity is hit at every greater one."""
        return self.uniform(*unit) < self.severity

    def uniform(self, *unit: str | int) -> float:
        """Return the number of a unit, from 0 to below 1, whatever the severity."""
        return (child_seed(self.seed, "fault", self.fault, "hit", *unit) >> 10) / 2**53

    def one_of(self, options: Sequence[T], *unit: str | int) -> T:
        """Choose among ``options``, of which there must be one, whatever the severity."""
        return options[child_seed(self.seed, "fault", self.fault, "choice", *unit) % len(options)]
