"""Location and spread of many metrics on two sides, in ranks, with what every unit contributes to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from convsim.schema.arrays import FloatArray, IntArray
from convsim.stats.ecdf import Cells

SPREAD_UNIT = sqrt(5 / 3)


@dataclass(frozen=True)
class Contrast:
    """One metric: how far the sides lie apart in location and in spread, and what each unit contributes.

    With H the average of both sides' distribution functions (ties count half), so that either side weighs the same
    whatever its size:

    - ``delta``, location: the mean of 2 H - 1 over simulated conversations less that over people. This is Cliff's
      delta, P(simulated > real) - P(simulated < real).
    - ``spread``: the same of sqrt(5/3) (6 H² - 6 H + 1), which is large at both ends of the ranks and small between.
      Between two normal distributions of one mean, 1.23 times the standard deviation is .147, and 1.44 times is .25.

    Both are 0 where the sides' distributions are equal, and above 0 where the simulator's values are larger, or wider.

    Source:
        Cliff (1993), Dominance statistics; the spread score is Mood's (1954) in shape, a Legendre polynomial of the
        ranks as in Neyman's smooth tests (Rayner, Thas and Best 2009); influence functions of both are of first order
        and include that H is estimated (Hájek projection).
    """

    estimates: FloatArray
    """Shape (2,): delta and spread."""
    influence: tuple[FloatArray, FloatArray]
    """By side, real first, shape (units, 2): what each unit adds to the estimates' deviation from the truth."""
    at_equality: tuple[FloatArray, FloatArray]
    """The same, were the populations equal: of the pooled values against themselves."""
    rank_variance: float
    """Of ranks from -1 to 1, either side counting half: 1/3 without ties, 0 where all have one value."""

    @classmethod
    def of(cls, real: Cells, simulated: Cells) -> Contrast:
        """Compare the sides; ``Cells`` share their cells, which lie in order, and each holds at least one value."""
        counts = (real.counts, simulated.counts)
        shares = [side / side.sum() for side in counts]
        middles = [np.cumsum(share) - share / 2 for share in shares]
        ranks = (middles[0] + middles[1]) / 2
        gap = shares[1] - shares[0]
        estimates = np.empty(2)
        influence = [np.empty((side.by_unit.shape[1], 2)) for side in (real, simulated)]
        at_equality = [np.empty_like(each) for each in influence]
        pooled = counts[0] + counts[1]
        pooled = pooled / pooled.sum()
        own = np.cumsum(pooled) - pooled / 2
        for column, (score, slope) in enumerate(
            ((location_score, _location_slope), (spread_score, _spread_slope))
        ):
            scored, moved = score(ranks), slope(ranks) * gap
            estimates[column] = scored @ gap
            # A value moves H, and so the score, of all that lie beyond it.
            through_ranks = (moved[::-1].cumsum()[::-1] - moved / 2) / 2
            alike = score(own)
            for side, sign, cells, count in zip((0, 1), (-1.0, 1.0), (real, simulated), counts, strict=True):
                by_cell = sign * scored + through_ranks
                influence[side][:, column] = _by_unit(cells, by_cell, shares[side], count)
                at_equality[side][:, column] = _by_unit(cells, sign * alike, shares[side], count)
        variance = float((shares[0] + shares[1]) / 2 @ location_score(ranks) ** 2)
        return cls(estimates, (influence[0], influence[1]), (at_equality[0], at_equality[1]), variance)


def _by_unit(cells: Cells, by_cell: FloatArray, share: FloatArray, count: FloatArray) -> FloatArray:
    deviations = by_cell - share @ by_cell
    return np.asarray(np.asarray(cells.by_unit.T @ deviations).ravel() / count.sum(), np.float64)


def location_score(ranks: FloatArray) -> FloatArray:
    """Return what location is the difference in means of, at ranks from 0 to 1."""
    return np.asarray(2 * ranks - 1)


def _location_slope(ranks: FloatArray) -> FloatArray:
    return np.full(len(ranks), 2.0)


def spread_score(ranks: FloatArray) -> FloatArray:
    """Return the same of spread."""
    return np.asarray(SPREAD_UNIT * (6 * ranks**2 - 6 * ranks + 1))


def _spread_slope(ranks: FloatArray) -> FloatArray:
    return np.asarray(SPREAD_UNIT * (12 * ranks - 6))


@dataclass(frozen=True)
class Contrasts:
    """The contrasts of many metrics of the same two sides: columns are all deltas, then all spreads."""

    names: tuple[str, ...]
    by_metric: Mapping[str, Contrast]
    strata: tuple[IntArray, IntArray]
    """The stratum of each unit, by side; the number of units in each is taken as given."""

    @property
    def delta(self) -> FloatArray:
        """Shape (metrics,)."""
        return np.asarray([self.by_metric[name].estimates[0] for name in self.names])

    @property
    def spread(self) -> FloatArray:
        """Shape (metrics,)."""
        return np.asarray([self.by_metric[name].estimates[1] for name in self.names])

    @property
    def estimates(self) -> FloatArray:
        """Shape (2 * metrics,)."""
        return np.concatenate([self.delta, self.spread])

    @cached_property
    def influence(self) -> tuple[FloatArray, FloatArray]:
        """By side, shape (units, 2 * metrics): centred within strata, so that squares add up to variances."""
        return self._sides(lambda contrast: contrast.influence)

    @cached_property
    def covariance(self) -> FloatArray:
        """Shape (2 * metrics, 2 * metrics): of the estimates, both sides drawn anew by unit."""
        return sum_of_products(self.influence[0]) + sum_of_products(self.influence[1])

    @cached_property
    def covariances_at_equality(self) -> tuple[FloatArray, FloatArray]:
        """What people and what simulated conversations add to the covariance if the populations are equal."""
        real, simulated = self._sides(lambda contrast: contrast.at_equality)
        return sum_of_products(real), sum_of_products(simulated)

    def _sides(
        self, of: Callable[[Contrast], tuple[FloatArray, FloatArray]]
    ) -> tuple[FloatArray, FloatArray]:
        sides = []
        for side in (0, 1):
            parts = [of(self.by_metric[name])[side] for name in self.names]
            columns = np.column_stack([*(part[:, 0] for part in parts), *(part[:, 1] for part in parts)])
            sides.append(centred(columns, self.strata[side]))
        return sides[0], sides[1]


def centred(influence: FloatArray, stratum_of: IntArray) -> FloatArray:
    """Centre the influence of units, shape (units, columns), within strata, and make up for the estimated means.

    The sum of squares of what is returned is the variance of the estimate, unbiased in each stratum.
    """
    n = np.bincount(stratum_of)
    sums = np.zeros((len(n), influence.shape[1]))
    np.add.at(sums, stratum_of, influence)
    means = sums / np.maximum(n, 1)[:, None]
    grown = np.sqrt(n / np.maximum(n - 1, 1))
    centred_: FloatArray = (influence - means[stratum_of]) * grown[stratum_of][:, None]
    return centred_


def sum_of_products(influence: FloatArray) -> FloatArray:
    """Return the covariance of estimates whose units' influence has the shape (units, columns)."""
    return np.asarray(influence.T @ influence, np.float64)
