"""What is measured of two crowds, and how a number of them is held against people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from convsim.schema.arrays import FloatArray
from convsim.stats.crowds import Crowds
from convsim_validators.diversity.points import Points

Levels = FloatArray
"""Shape (2, draws): the level of people and of simulated units; of what is one number of both crowds, 0 and that."""
Read = Callable[[Points, Crowds], Levels]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of two crowds, and the direction in which it is asked."""

    name: str
    question: str
    unit: str
    kind: Literal["across", "within"]
    """One number of both crowds, to be held against two groups of people; or one of each crowd."""
    worse: Literal["more", "less", "other"]
    """What speaks against the simulator."""
    margin: str
    """The setting that says how far the estimate may lie beyond people."""
    read: Read
    relative: bool = False
    """Whether levels are compared as a proportion of people's."""
    evened: Callable[[FloatArray], FloatArray] = np.asarray
    """Makes what is tested about as symmetric over dealings as a normal variable, so that questions whose dealings have
    a long tail do not drown the others in their common correction; it is monotone, and moves no p-value by itself."""
    counts: bool = False
    """Whether a level is a proportion of units, so that none of few says little."""

    @property
    def beyond_words(self) -> str:
        """Say of an upper limit what it is a limit of."""
        return {"more": "more", "less": "less", "other": "apart"}[self.worse] + (
            " of people's" if self.relative else ""
        )

    def apart(self, levels: Levels) -> FloatArray:
        """Return how far the simulated crowd lies from people, above 0 in the direction that is asked; (draws,)."""
        people, simulated = levels
        difference = (simulated - people) / people if self.relative else simulated - people
        return np.asarray(-difference if self.worse == "less" else difference, np.float64)

    def beyond(self, levels: Levels) -> FloatArray:
        """Return the statistic that is tested; shape (draws,)."""
        apart = self.apart(levels)
        return self.evened(np.abs(apart) if self.worse == "other" else apart)


@dataclass(frozen=True)
class Measured:
    """A measure of the sides as they are, as they are dealt anew, of parts of them, and of people against people."""

    measure: Measure
    dealt: Levels
    """The sides as they are in the first column."""
    thinned: Levels
    factor: float
    """What the standard deviation over these is to be multiplied by."""
    against: Levels
    """As many people as simulated units."""
    baseline: Levels
    """The same people, and as many others."""

    @cached_property
    def statistic(self) -> FloatArray:
        """Shape (1 + permutations,)."""
        return self.measure.beyond(self.dealt)

    @property
    def levels(self) -> tuple[float, float]:
        """What people reach, and what the simulator does: crowds of one size each."""
        if self.measure.kind == "across":
            return float(self.baseline[1].mean()), float(self.against[1].mean())
        return float(self.dealt[0, 0]), float(self.dealt[1, 0])

    @property
    def estimate(self) -> float:
        """How far the simulator lies beyond people."""
        return float(self.measure.apart(np.asarray(self.levels)[:, None])[0]) + 0.0  # no -0

    @property
    def standard_error(self) -> float:
        """Of the estimate, by unit."""
        return float(self.measure.apart(self._of_both(self.thinned)).std(ddof=1)) * self.factor

    @property
    def human_baseline(self) -> tuple[float, float]:
        """How far two groups of people lie beyond one another: mean and 95 % point."""
        apart = self.measure.apart(self._of_both(self.baseline))
        apart = np.abs(apart) if self.measure.worse == "other" else apart
        return float(apart.mean()), float(np.quantile(apart, 0.95))

    def _of_both(self, levels: Levels) -> Levels:
        """Hold a number of both crowds against the mean level of people against people."""
        if self.measure.kind == "within":
            return levels
        return np.stack([np.full(levels.shape[1], self.levels[0]), levels[1]])
