"""How varied is a crowd by itself? Distinct texts, near twins, effective number: each as of crowds of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from convsim.schema.arrays import FloatArray, IntArray

DIGITS = 12
"""What differs less is the same: shares are sums of as many terms as a crowd has units."""

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from convsim.stats.resampling import Weights


def distinct_share(group_of: IntArray, side: Weights, size: int) -> FloatArray:
    """How many of ``size`` units differ from one another? The expected share of distinct ones; shape (draws,).

    Args:
        group_of: Shape (units,): who is alike shares a number.
        side: Shape (units, draws): 1 where a unit belongs to the side.
        size: To what number of units the side is cut down at random; at most its own.

    Source:
        Hurlbert (1971), The nonconcept of species diversity, Ecology 52: rarefaction, exact.
    """
    n = int(side[:, 0].sum())
    number, sizes = np.unique(group_of, return_inverse=True, return_counts=True)[1:]
    several = np.flatnonzero(sizes > 1)
    place = np.full(len(sizes), -1)
    place[several] = np.arange(len(several))
    rows = np.flatnonzero(place[number] >= 0)
    counts = np.zeros((len(several), side.shape[1]), np.int64)
    np.add.at(counts, place[number[rows]], side[rows].astype(np.int64))
    seen = 1 - _none_drawn(n, size)
    alone = n - counts.sum(axis=0)
    return np.asarray(((seen[counts].sum(axis=0) + alone * seen[1]) / size).round(DIGITS))


def twin_share(twins: csr_matrix, side: Weights, size: int) -> FloatArray:
    """How many of ``size`` units have a near twin among them? The expected share; shape (draws,).

    Args:
        twins: Shape (units, units): 1 where the second nearly repeats the first.
        side: Shape (units, draws): 1 where a unit belongs to the side.
        size: To what number of units the side is cut down at random; at most its own.
    """
    n = int(side[:, 0].sum())
    of_others = np.asarray(twins @ side).round().astype(np.int64)
    counts = of_others.clip(max=n - 1)  # a unit of the other side may be a twin of all
    found = 1 - _none_drawn(n - 1, size - 1)
    return np.asarray(((found[counts] * side).sum(axis=0) / n).round(DIGITS), np.float64)


def _none_drawn(n: int, size: int) -> FloatArray:
    """Return by c = 0 … n the chance that none of c is among ``size`` drawn from n: C(n - c, size) / C(n, size)."""
    from scipy.special import gammaln

    c = np.arange(n + 1)
    left = np.where(n - c >= size, n - c, size)
    logs = gammaln(left + 1) - gammaln(left - size + 1) - gammaln(n + 1) + gammaln(n - size + 1)
    return np.where(n - c >= size, np.exp(logs), 0.0)


def effective_number(similarity: Weights, side: Weights, size: int) -> FloatArray:
    """Of how many wholly different units is a crowd of ``size`` worth? From 1 to ``size``; shape (draws,).

    1 / (mean of K² over all pairs of a crowd, a unit with itself included). The mean over pairs of two units does not
    depend on how many there are, so that crowds of any sizes can be put to one size.

    Args:
        similarity: Shape (units, units): K² of each pair, 0 (nothing shared) to 1; the diagonal does not matter.
        side: Shape (units, draws): 1 where a unit belongs to the side.
        size: Of the crowd that is described.

    Source:
        Leinster and Cobbold (2012), Measuring diversity: the importance of species similarity, Ecology 93, order 2;
        the same as the Vendi score of order 2 (Pasarkar and Dieng 2023, Cousins of the Vendi score): the inverse of
        the sum of the squared eigenvalues of K / n.
    """
    pairs = mean_of_pairs(similarity, side)
    return np.asarray(1 / (1 / size + (1 - 1 / size) * pairs))


def mean_of_pairs(matrix: Weights, side: Weights) -> FloatArray:
    """Return the mean over all pairs of different units of a side, which depends on no size; shape (draws,).

    Args:
        matrix: Shape (units, units): symmetric, such as distances; the diagonal does not matter.
        side: Shape (units, draws): 1 where a unit belongs to the side.
    """
    n = int(side[:, 0].sum())
    own = matrix.diagonal()[:, None]
    total = ((matrix @ side - own * side) * side).sum(axis=0, dtype=np.float64)
    return np.asarray(total / (n * (n - 1)))
