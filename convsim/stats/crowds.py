"""Groups of units that are compared as crowds: the sides as they are, dealt anew, thinned out; people with people."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema.arrays import BoolArray, IntArray
from convsim.stats.resampling import Weights

if TYPE_CHECKING:
    from numpy.random import Generator


@dataclass(frozen=True)
class Crowds:
    """Pairs of crowds, in each draw of the same two sizes; who is in neither is as if he were not there."""

    people: Weights
    """Shape (units, draws): 1 where a unit counts as one of the people."""
    simulated: Weights
    """Shape (units, draws): 1 where a unit counts as simulated."""

    @property
    def n(self) -> tuple[int, int]:
        """Units of people, and simulated ones."""
        return int(self.people[:, 0].sum()), int(self.simulated[:, 0].sum())

    @classmethod
    def dealt(cls, people: Weights) -> Crowds:
        """Take the sides as they are dealt: whoever is not one of the people is simulated."""
        return cls(people, 1 - people)

    @classmethod
    def thinned(cls, is_real: BoolArray, n_draws: int, rng: Generator) -> tuple[Crowds, float]:
        """Draw four fifths of the units of each side, without replacement, for standard errors.

        Statistics of nearest neighbours cannot be bootstrapped: a unit drawn twice is its own neighbour.

        Returns:
            The crowds, and what the standard deviation of a statistic over them is to be multiplied by: where d of n
            units are left out it has the variance s² d / (n (n - d)), and over whole sides s² / n.

        Source:
            Shao and Wu (1989), A general theory for jackknife variance estimation, with d units left out.
        """
        sides = [np.flatnonzero(is_real), np.flatnonzero(~is_real)]
        left_out = [max(1, round(len(side) / 5)) for side in sides]
        drawn = [
            _drawn(side, len(side) - d, len(is_real), n_draws, rng)
            for side, d in zip(sides, left_out, strict=True)
        ]
        factor = max((len(side) - d) / d for side, d in zip(sides, left_out, strict=True))
        return cls(drawn[0], drawn[1]), sqrt(factor)

    @classmethod
    def of_equal_size(cls, is_real: BoolArray, n: int, n_draws: int, rng: Generator) -> tuple[Crowds, Crowds]:
        """Draw ``n`` people, and against them ``n`` simulated units and ``n`` other people: the human baseline."""
        real = np.flatnonzero(is_real)
        first, second = np.zeros((2, len(is_real), n_draws), np.float32)
        for draw in range(n_draws):
            order = rng.permutation(real)
            first[order[:n], draw], second[order[n : 2 * n], draw] = 1, 1
        simulated = _drawn(np.flatnonzero(~is_real), n, len(is_real), n_draws, rng)
        return cls(first, simulated), cls(first, second)


def _drawn(members: IntArray, n: int, n_units: int, n_draws: int, rng: Generator) -> Weights:
    weights = np.zeros((n_units, n_draws), np.float32)
    for draw in range(n_draws):
        weights[rng.permutation(members)[:n], draw] = 1
    return weights
