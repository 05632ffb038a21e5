"""The crowds that are measured: the sides as they are, dealt anew, thinned out, and people against people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convsim.seeds import generator
from convsim.stats.crowds import Crowds
from convsim.stats.resampling import permute
from convsim_validators.diversity.measures import Measure, Measured
from convsim_validators.diversity.points import Points

N_THINNED = 100
"""Of which standard errors are made."""
N_EQUAL = 40
"""Pairs of people's halves that make the human baseline, and as many pairs of people and simulated units."""


@dataclass(frozen=True)
class Compared:
    """All measures are taken of the same crowds."""

    points: Points
    dealt: Crowds
    """The sides as they are, then dealt anew."""
    thinned: Crowds
    """Parts of both sides."""
    factor: float
    """What the standard deviation over these is to be multiplied by."""
    against: Crowds
    """As many people as simulated units."""
    baseline: Crowds
    """The same people, and as many others."""

    @classmethod
    def of(cls, points: Points, *, n_resamples: int, seed: int) -> Compared:
        """Draw all crowds."""
        units = points.units
        rng = {name: generator(seed, "diversity", name) for name in ("permutation", "thinned", "equal")}
        permuted = permute(units.exchangeable, units.is_real, n_resamples, rng["permutation"], observed=True)
        dealt = Crowds.dealt(permuted.astype(np.float32))
        n_real, n_simulated = dealt.n
        against, baseline = Crowds.of_equal_size(
            units.is_real, min(n_real // 2, n_simulated), N_EQUAL, rng["equal"]
        )
        thinned, factor = Crowds.thinned(units.is_real, N_THINNED, rng["thinned"])
        return cls(points, dealt, thinned, factor, against, baseline)

    def measured(self, measure: Measure) -> Measured:
        """Take one measure of all crowds."""
        crowds = (self.dealt, self.thinned, self.against, self.baseline)
        dealt, thinned, against, baseline = (measure.read(self.points, each) for each in crowds)
        return Measured(measure, dealt, thinned, self.factor, against, baseline)
