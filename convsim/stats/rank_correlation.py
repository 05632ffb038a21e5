"""Rank correlations of two columns, and what each row moves them by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convsim.schema.arrays import FloatArray, IntArray

TINY = 1e-12
"""A variance of ranks below is none."""


@dataclass(frozen=True)
class Ranked:
    """One column: the place of each value among the distinct ones, and its centred mid-rank."""

    place: IntArray
    """Shape (n,): which of the distinct values, the smallest first."""
    score: FloatArray
    """Shape (n,): the proportion of rows below, half of the equal ones counted, less one half."""

    @classmethod
    def of(cls, values: FloatArray) -> Ranked:
        """Rank values, none of them NaN."""
        place, counts = np.unique(values, return_inverse=True, return_counts=True)[1:]
        middle = (np.cumsum(counts) - counts / 2) / len(values) - 0.5
        return cls(place.ravel(), middle[place.ravel()])

    def moved_by(self, weights: FloatArray) -> FloatArray:
        """Return for each row the mean of ``weights`` over the rows above it, half of the equal ones counted.

        One row more of its value lifts the ranks of those above it; ``weights`` are what their ranks are multiplied by.
        """
        at = np.bincount(self.place, weights)
        above = at[::-1].cumsum()[::-1] - at / 2
        return np.asarray(above[self.place] / len(weights), np.float64)


def rank_correlation(first: Ranked, second: Ranked) -> tuple[float, FloatArray]:
    """Return Spearman's correlation of two columns, and the influence of each row on it, shape (n,).

    Influence is the derivative by a row's weight: ranks move too when a row counts more. Its mean is 0, and its
    variance over n is that of the correlation, with ties and whatever the distributions of either column.

    Args:
        first: Shape (n,); not all equal.
        second: Of the same rows; not all equal.

    Source:
        Hoeffding (1948), A class of statistics with asymptotically normal distribution; Borkowf (2002), Computing the
        nonnull asymptotic variance and the asymptotic relative efficiency of Spearman's rank correlation,
        Computational Statistics and Data Analysis 39. Mid-ranks, as scipy.stats.spearmanr.
    """
    variances = [float((column.score**2).mean()) for column in (first, second)]
    scale = float(np.sqrt(variances[0] * variances[1]))
    r = float((first.score * second.score).mean()) / scale
    of_product = (
        first.score * second.score + first.moved_by(second.score) + second.moved_by(first.score)
    ) - 3 * r * scale
    of_variances = sum(
        (column.score**2 + 2 * column.moved_by(column.score) - 3 * variance) / variance
        for column, variance in zip((first, second), variances, strict=True)
    )
    return min(1.0, max(-1.0, r)), np.asarray(of_product / scale - r / 2 * of_variances, np.float64)
