"""How the columns of two sides hang together, whatever each column's own distribution is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.joint_equivalence import Joint
from convsim.stats.rank_correlation import Ranked, rank_correlation
from convsim.stats.resampling import Weights
from convsim.stats.two_sample import Compared, Distances, distances

if TYPE_CHECKING:
    from numpy.random import Generator

MIN_ROWS = 8
"""Fewer rows of a side that have both columns tell nothing of their correlation."""
LOST = 3
"""Rows' worth of variance that ranks take from influence."""


def scores_within(values: FloatArray, is_real: BoolArray) -> FloatArray:
    """Return the ranks of each column within its side, mean 0 and standard deviation 1; NaN stays NaN.

    So a column that is larger, wider or of another shape on one side has the same scores there: what is left is how
    columns go together. Ties share their mean rank.

    Args:
        values: Shape (rows, columns).
        is_real: Shape (rows,).
    """
    from scipy.stats import rankdata

    scores = np.full(values.shape, np.nan)
    for side in (is_real, ~is_real):
        for column in range(values.shape[1]):
            rows = np.flatnonzero(side & ~np.isnan(values[:, column]))
            ranks = rankdata(values[rows, column])
            spread = ranks.std()
            if spread > 0:
                scores[rows, column] = (ranks - ranks.mean()) / spread
    return scores


def untied_within(values: FloatArray, is_real: BoolArray, rng: Generator) -> FloatArray:
    """Return uniform draws in the order of each column within its side, ties and undefined values in an order drawn.

    Ranks tell a side by themselves: where there are ties, since how many have each value differs a little; where there
    are none, since each rank comes once a side, so that who is held out is known by what is left. Of these, no column
    alone tells anything, and how columns go together is as it was.

    Args:
        values: Shape (rows, columns).
        is_real: Shape (rows,).
        rng: Draws the order of ties.
    """
    scores = np.empty(values.shape)
    for side in (is_real, ~is_real):
        rows = np.flatnonzero(side)
        for column in range(values.shape[1]):
            known = ~np.isnan(values[rows, column])
            order = np.lexsort((rng.random(known.sum()), values[rows[known], column]))
            scores[rows[known][order], column] = np.sort(rng.random(known.sum()))
            scores[rows[~known], column] = rng.random((~known).sum())
    return scores


@dataclass(frozen=True)
class Pair:
    """Two columns, and Spearman's rank correlation of each side."""

    columns: tuple[int, int]
    real: float
    simulated: float
    error: float
    """Standard error of the difference."""


@dataclass(frozen=True)
class RankCorrelations:
    """Spearman's correlations of all pairs of columns on both sides, and what each row adds to them.

    H0: real and simulated units are exchangeable but for the distributions of single columns (one copula). A row's
    contribution is the correlation of its side plus its influence on it, so that the difference of the sides' means is
    exactly the difference of the correlations, and dealing rows anew leaves what each contributes as it is.

    Source:
        Spearman (1904); influence: ``rank_correlation``. Reference: scipy.stats.spearmanr.
    """

    pairs: tuple[tuple[int, int], ...]
    contributions: FloatArray
    """Shape (rows, pairs)."""
    is_real: BoolArray
    unit_of: IntArray
    """Shape (rows,): real units first."""

    @classmethod
    def of(cls, scores: FloatArray, is_real: BoolArray, unit_of: IntArray) -> RankCorrelations:
        """Correlate the columns of ``scores_within``; pairs that do not vary on a side are left out."""
        pairs: list[tuple[int, int]] = []
        contributions: list[FloatArray] = []
        ranked = [_Column.of(column, is_real) for column in scores.T]
        for first, second in combinations(range(scores.shape[1]), 2):
            added = _contributions(ranked[first], ranked[second], is_real)
            if added is not None:
                pairs.append((first, second))
                contributions.append(added)
        stacked = np.column_stack(contributions) if contributions else np.zeros((len(scores), 0))
        return cls(tuple(pairs), stacked, is_real, unit_of)

    def apart(self, dealt: Weights) -> Distances:
        """Compare the sides' correlations, as they are and as they are dealt anew: all together, and the largest."""
        return distances([Compared(self.contributions, self.contributions)], self.unit_of, dealt)

    @cached_property
    def _by_side(self) -> tuple[FloatArray, FloatArray]:
        return (
            self.contributions[self.is_real].mean(axis=0), self.contributions[~self.is_real].mean(axis=0)
        )  # fmt: skip

    @cached_property
    def covariance(self) -> FloatArray:
        """Shape (pairs, pairs): of the differences, by unit."""
        return self.people_covariance + self._covariance(~self.is_real)

    @cached_property
    def people_covariance(self) -> FloatArray:
        """What people add to it."""
        return self._covariance(self.is_real)

    def _covariance(self, rows: BoolArray) -> FloatArray:
        centred = self.contributions[rows] - self.contributions[rows].mean(axis=0)
        unit = np.unique(self.unit_of[rows], return_inverse=True)[1]
        sums = np.zeros((int(unit.max()) + 1, len(self.pairs)))
        np.add.at(sums, unit, centred / rows.sum())
        return np.asarray(sums.T @ sums)

    @cached_property
    def joint(self) -> Joint:
        """The differences of all pairs as one distance, its bias taken out."""
        n = len(self.pairs)
        return Joint(self._by_side[1] - self._by_side[0], self.covariance, np.full(n, 1 / n))

    @cached_property
    def told(self) -> Sequence[Pair]:
        """The pairs, those first whose difference is the most standard errors."""
        errors = np.sqrt(np.diag(self.covariance).clip(min=0))
        real, simulated = self._by_side
        z = np.divide(np.abs(simulated - real), errors, out=np.zeros_like(errors), where=errors > 0)
        return [
            Pair(self.pairs[k], float(real[k]), float(simulated[k]), float(errors[k]))
            for k in np.argsort(-z, kind="stable").tolist()
        ]


@dataclass(frozen=True)
class _Column:
    """One column's scores, and its ranks on each side where no row of it is undefined."""

    scores: FloatArray
    defined: BoolArray
    whole: tuple[Ranked | None, Ranked | None]

    @classmethod
    def of(cls, scores: FloatArray, is_real: BoolArray) -> _Column:
        defined = ~np.isnan(scores)
        ranked = [Ranked.of(scores[side]) if defined[side].all() else None for side in (is_real, ~is_real)]
        return cls(scores, defined, (ranked[0], ranked[1]))

    def ranked(self, number: int, rows: BoolArray, n_of_side: int) -> Ranked:
        whole = self.whole[number]
        return whole if whole is not None and rows.sum() == n_of_side else Ranked.of(self.scores[rows])


def _contributions(first: _Column, second: _Column, is_real: BoolArray) -> FloatArray | None:
    both = first.defined & second.defined
    added = np.empty(len(both))
    for number, side in enumerate((is_real, ~is_real)):
        rows = side & both
        n, n_both = int(side.sum()), int(rows.sum())
        if n_both < MIN_ROWS:
            return None
        x, y = (column.ranked(number, rows, n) for column in (first, second))
        if x.place.max() < 1 or y.place.max() < 1:
            return None
        r, influence = rank_correlation(x, y)
        added[side] = r
        added[rows] += influence * (n / n_both) * _small(n_both)
    return added


def _small(n: int) -> float:
    """By how much the influence of n rows, each with ranks among the others, is too small: found by simulation."""
    return n / (n - LOST)
