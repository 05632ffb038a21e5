"""Values on a grid of cells, so that a thousand resamples of a distribution are one matrix product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema.arrays import FloatArray, IntArray
from convsim.stats.resampling import Design, Weights, weighed

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


MAX_CELLS = 1000
"""Finer columns are read at this many pooled quantiles; resampled distances then miss at most 1/1000."""


def cut_points(values: FloatArray) -> FloatArray:
    """Return the upper ends of the cells: the distinct values, or their quantiles where there are too many."""
    distinct = np.unique(values)
    if len(distinct) <= MAX_CELLS:
        return distinct
    return np.unique(np.quantile(values, np.linspace(0, 1, MAX_CELLS), method="inverted_cdf"))


@dataclass(frozen=True)
class Cells:
    """How many of each unit's values lie in each cell."""

    by_unit: csr_matrix
    """Shape (cells, units)."""

    @classmethod
    def of(cls, cell_of: IntArray, unit_of: IntArray, *, n_cells: int, n_units: int) -> Cells:
        """Count values, given the cell and the unit of each."""
        from scipy.sparse import csr_matrix

        ones = np.ones(len(cell_of), np.float32)
        return cls(csr_matrix((ones, (cell_of, unit_of)), shape=(n_cells, n_units)))

    @property
    def counts(self) -> FloatArray:
        """Shape (cells,): the observed count of each cell."""
        return np.asarray(self.by_unit.sum(axis=1), np.float64).ravel()

    def resampled(self, weights: Weights) -> FloatArray:
        """Return the counts under each replicate; shape (cells, replicates)."""
        return weighed(self.by_unit, weights)


def cells_of_sides(values: tuple[FloatArray, FloatArray], design: Design) -> tuple[Cells, Cells]:
    """Put two sides' values into the same cells, by the design's units; NaN is left out.

    Args:
        values: By side, shape (conversations,); each side has at least one that is a number.
        design: Whose units count.
    """
    cuts = cut_points(np.concatenate([side[~np.isnan(side)] for side in values]))
    real, simulated = (
        Cells.of(
            np.searchsorted(cuts, column[~np.isnan(column)]).astype(np.int64), side.unit_of[~np.isnan(column)],
            n_cells=len(cuts), n_units=side.n_units,
        )
        for column, side in zip(values, (design.real, design.simulated), strict=True)
    )  # fmt: skip
    return real, simulated


def cumulative(counts: FloatArray) -> FloatArray:
    """Return the empirical distribution function at the cells' upper ends, along the first axis."""
    sums = np.cumsum(counts, axis=0)
    shares: FloatArray = np.divide(sums, sums[-1], out=np.zeros_like(sums), where=sums[-1] > 0)
    return shares


def superiority(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return P(second > first) - P(second < first) for cell counts of shape (cells, ...): Cliff's delta.

    It is 0 where either side holds nothing.
    """
    shares = [np.divide(c, c.sum(0), out=np.zeros_like(c), where=c.sum(0) > 0) for c in (first, second)]
    below = np.cumsum(shares[0], axis=0) - shares[0]
    above = 1.0 - np.cumsum(shares[0], axis=0)
    delta: FloatArray = (shares[1] * (below - above)).sum(axis=0)
    return np.where(first.sum(axis=0) > 0, delta, 0.0)
