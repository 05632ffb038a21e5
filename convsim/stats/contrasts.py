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
MAX_NUMBERS = 4_000_000
"""Numbers that are centred at a time."""


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
    rank_variance: float
    """Of ranks from -1 to 1, either side counting half: 1/3 without ties, 0 where all have one value."""
    _by_cell: tuple[_ByCell, _ByCell]
    _by_cell_at_equality: tuple[_ByCell, _ByCell]

    @property
    def influence(self) -> tuple[FloatArray, FloatArray]:
        """By side, real first, shape (units, 2): what each unit adds to the estimates' deviation from the truth.

        Computed at each call, since of many metrics they would fill the memory.
        """
        real, simulated = self._by_cell
        return real.by_unit, simulated.by_unit

    @property
    def at_equality(self) -> tuple[FloatArray, FloatArray]:
        """The same, were the populations equal: of the pooled values against themselves."""
        real, simulated = self._by_cell_at_equality
        return real.by_unit, simulated.by_unit

    @classmethod
    def of(cls, real: Cells, simulated: Cells) -> Contrast:
        """Compare the sides; ``Cells`` share their cells, which lie in order, and each holds at least one value."""
        counts = (real.counts, simulated.counts)
        shares = [side / side.sum() for side in counts]
        middles = [np.cumsum(share) - share / 2 for share in shares]
        ranks = (middles[0] + middles[1]) / 2
        gap = shares[1] - shares[0]
        estimates = np.empty(2)
        influence = [_ByCell.zeros(side) for side in (real, simulated)]
        at_equality = [_ByCell.zeros(side) for side in (real, simulated)]
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
            for side, sign in enumerate((-1.0, 1.0)):
                influence[side].put(column, sign * scored + through_ranks, shares[side])
                at_equality[side].put(column, sign * alike, shares[side])
        variance = float((shares[0] + shares[1]) / 2 @ location_score(ranks) ** 2)
        return cls(estimates, variance, (influence[0], influence[1]), (at_equality[0], at_equality[1]))


@dataclass(frozen=True)
class _ByCell:
    """What a value in each cell of one side adds to the estimates."""

    cells: Cells
    deviations: FloatArray
    """Shape (cells, 2): before they are divided by the number of values."""

    @classmethod
    def zeros(cls, cells: Cells) -> _ByCell:
        return cls(cells, np.zeros((cells.by_unit.shape[0], 2)))

    def put(self, column: int, by_cell: FloatArray, share: FloatArray) -> None:
        """Set a column, less its mean over values."""
        self.deviations[:, column] = by_cell - share @ by_cell

    @property
    def by_unit(self) -> FloatArray:
        """Shape (units, 2)."""
        n = self.cells.counts.sum()
        to_units = self.cells.by_unit.T
        return np.column_stack(
            [np.asarray(to_units @ np.ascontiguousarray(column)).ravel() / n for column in self.deviations.T]
        )


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
        return self._sides(lambda contrast: contrast._by_cell)

    @cached_property
    def covariance(self) -> FloatArray:
        """Shape (2 * metrics, 2 * metrics): of the estimates, both sides drawn anew by unit."""
        return sum_of_products(self.influence[0]) + sum_of_products(self.influence[1])

    @cached_property
    def covariances_at_equality(self) -> tuple[FloatArray, FloatArray]:
        """What people and what simulated conversations add to the covariance if the populations are equal."""
        real, simulated = self._sides(lambda contrast: contrast._by_cell_at_equality)
        return sum_of_products(real), sum_of_products(simulated)

    def _sides(self, of: Callable[[Contrast], tuple[_ByCell, _ByCell]]) -> tuple[FloatArray, FloatArray]:
        sides = []
        for side in (0, 1):
            k = len(self.names)
            columns = np.empty((len(self.strata[side]), 2 * k))
            for place, name in enumerate(self.names):
                columns[:, [place, k + place]] = of(self.by_metric[name])[side].by_unit
            sides.append(centred(columns, self.strata[side]))
        return sides[0], sides[1]


def centred(influence: FloatArray, stratum_of: IntArray) -> FloatArray:
    """Centre the influence of units, shape (units, columns), within strata, and make up for the estimated means.

    The sum of squares of what is returned is the variance of the estimate, unbiased in each stratum.
    """
    from scipy.sparse import csr_matrix

    n = np.bincount(stratum_of)
    units = np.arange(len(stratum_of))
    of_stratum = csr_matrix((np.ones(len(units)), (stratum_of, units)), shape=(len(n), len(units)))
    means = np.asarray(of_stratum @ influence) / np.maximum(n, 1)[:, None]
    grown = np.sqrt(n / np.maximum(n - 1, 1))
    centred_ = np.empty(influence.shape)
    size = max(1, MAX_NUMBERS // max(1, influence.shape[1]))
    for start in range(0, len(units), size):
        rows = slice(start, start + size)
        of = stratum_of[rows]
        centred_[rows] = (influence[rows] - means[of]) * grown[of][:, None]
    return centred_


def sum_of_products(influence: FloatArray) -> FloatArray:
    """Return the covariance of estimates whose units' influence has the shape (units, columns)."""
    return np.asarray(influence.T @ influence, np.float64)
