"""Does something change along time, and when? The cumulative sum of ranks, against orders of time dealt anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from numpy.random import Generator

MAX_NUMBERS = 4_000_000
"""Sums held at a time; bounds memory."""


@dataclass(frozen=True)
class ChangePoint:
    """Where the cumulative sum of one series lies furthest from 0."""

    statistics: FloatArray
    """Shape (1 + permutations,): the largest absolute cumulative sum in standard deviations, as observed first."""
    at: int
    """How many units come before the change."""


def change_point(values: FloatArray, time_of: IntArray, orders: IntArray) -> ChangePoint | None:
    """Look for one change in a series of units.

    H0: units are exchangeable in time. The statistic is the largest of abs(S_k) / sqrt(n), S_k the sum of the first k
    units' ranks, centred and of variance 1. k runs over ends of times alone: units of one time have no order.

    Args:
        values: Shape (units,): one a unit, NaN where it has none.
        time_of: Shape (units,): when each unit comes; equal numbers are one time.
        orders: Shape (1 + permutations, units): which unit stands at each place; the first in order of time.

    Returns:
        None where fewer than two times or two different values are known.

    Source:
        Page (1954), Continuous inspection schemes; Pettitt (1979), A non-parametric approach to the change-point
        problem, Applied Statistics 28. P-values by permutation.
    """
    from scipy.stats import rankdata

    known = ~np.isnan(values)
    ends = np.flatnonzero(np.diff(time_of[orders[0]]) > 0)
    if not len(ends) or len(np.unique(values[known])) < 2:
        return None
    scores = np.zeros(len(values))
    ranks = rankdata(values[known])
    scores[known] = (ranks - ranks.mean()) / ranks.std()
    root = np.sqrt(known.sum())
    block = max(1, MAX_NUMBERS // len(values))
    found = [
        np.abs(scores[orders[start : start + block]].cumsum(axis=1)[:, ends]).max(axis=1) / root
        for start in range(0, len(orders), block)
    ]
    sums = np.abs(scores[orders[0]].cumsum()[ends])
    return ChangePoint(np.concatenate(found), int(ends[sums.argmax()]) + 1)


def orders_of_time(time_of: IntArray, n_permutations: int, rng: Generator) -> IntArray:
    """Return the order of time, then orders at random; shape (1 + permutations, units)."""
    first = np.argsort(time_of, kind="stable")
    rest = rng.permuted(np.tile(np.arange(len(time_of)), (n_permutations, 1)), axis=1)
    return np.concatenate([first[None, :], rest]).astype(np.int64)
