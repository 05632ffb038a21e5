"""Counts of agreement under resampling: whole units are drawn, and each count is a product with their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from numpy.random import Generator
    from scipy.sparse import csr_matrix

    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.int64]
from convsim import schema


class Estimate(schema.Estimate):
    """A number with its 95 % interval; ``reason`` says why either is missing."""

    reason: str | None = None


MIN_UNITS = 8
"""Fewer independent units give no interval."""
MAX_NUMBERS = 4_000_000
"""Counts and weights held at a time; bounds memory at any number of classes and units."""
Computed = Mapping[str, "FloatArray"]
"""Statistics by name, each of shape (1 + resamples, …)."""


def by_unit(rows: IntArray, columns: IntArray, unit_of: IntArray, n_columns: int) -> csr_matrix:
    """Count the marks of each unit.

    Args:
        rows: Shape (marks,): the item of each mark.
        columns: Shape (marks,): what is counted there.
        unit_of: Shape (items,): each item's unit, from 0 on.
        n_columns: How many different things are counted.

    Returns:
        Shape (columns, units).
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    shape = (n_columns, int(unit_of.max()) + 1)
    return csr_matrix((np.ones(len(rows)), (columns, unit_of[rows])), shape=shape)


def resampled(
    counts: csr_matrix, statistics: Callable[[FloatArray], Computed], n_resamples: int, rng: Generator
) -> Computed:
    """Compute statistics of what was observed (row 0) and of units drawn anew with replacement.

    Args:
        counts: Shape (columns, units).
        statistics: Maps counts of shape (r, columns) to statistics of shape (r, …).
        n_resamples: How often units are drawn.
        rng: Draws them.
    """
    import numpy as np

    n_columns, n_units = counts.shape
    size = max(1, MAX_NUMBERS // max(n_columns, n_units))
    found = [statistics(np.asarray(counts @ np.ones((n_units, 1))).T)]
    for start in range(0, n_resamples, size):
        draws = rng.integers(0, n_units, (min(size, n_resamples - start), n_units))
        weights = np.stack([np.bincount(draw, minlength=n_units) for draw in draws], axis=1)
        found.append(statistics(np.asarray(counts @ weights.astype(np.float64)).T))
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def estimate(values: FloatArray, n_units: int, *, undefined: str) -> Estimate:
    """Summarise one statistic: the observed value, and a percentile interval over the resamples that define it.

    Args:
        values: Shape (1 + resamples,), the observed value first; NaN where undefined.
        n_units: Independent units that were drawn.
        undefined: Why the statistic can be undefined.
    """
    import numpy as np

    if np.isnan(values[0]):
        return Estimate(reason=undefined)
    observed, drawn = float(values[0]), values[1:][~np.isnan(values[1:])]
    if n_units < MIN_UNITS:
        return Estimate(
            estimate=observed, reason=f"no interval: {n_units} independent units, {MIN_UNITS} are needed"
        )
    if len(drawn) < (len(values) - 1) / 2:
        return Estimate(estimate=observed, reason=f"no interval: in most resamples {undefined}")
    if np.ptp(drawn) < 1e-12:
        return Estimate(
            estimate=observed, reason="no interval: the units are all alike, resampling shows no spread"
        )
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(estimate=observed, interval=(float(low), float(high)))
