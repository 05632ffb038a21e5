"""How precise the means of two sides are where units have several rows each: variance within and between units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema.arrays import FloatArray
from convsim.stats.resampling import Weights, in_blocks

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

EXACT = 1 << 24
"""Up to which float32 adds whole numbers up without an error, and twice as fast."""


def difference_of_means(dealt: Weights, sizes: FloatArray) -> FloatArray:
    """Return what each row of a unit counts in the difference of the sides' means; shape (units, permutations).

    Args:
        dealt: Shape (units, permutations): 1 where a unit counts as real.
        sizes: Shape (units,): rows of each.
    """
    n_real: FloatArray = _real(sizes[None], dealt)[0]
    n_simulated = sizes.sum() - n_real
    shares = (np.divide(1.0, n, out=np.zeros_like(n), where=n > 0) for n in (n_real, n_simulated))
    of_real, of_simulated = shares
    return np.where(dealt > 0, of_real, -of_simulated)


def _real(counts: FloatArray, dealt: Weights) -> FloatArray:
    """Sum whole numbers, shape (kinds, units), over the units that count as real; shape (kinds, permutations).

    Exact, in however many blocks.
    """
    small = counts.sum(axis=1).max(initial=0.0) <= EXACT and (counts == np.floor(counts)).all()
    added = counts.astype(np.float32) if small else counts
    sums = [added @ some for some in in_blocks(dealt)]
    return np.asarray(np.concatenate(sums, axis=1), np.float64)


@dataclass(frozen=True)
class Sizes:
    """What the sizes of a dealing's sides make of components of variance; shapes (permutations,)."""

    by_row: FloatArray
    by_unit: FloatArray

    @classmethod
    def of(cls, sizes: FloatArray, dealt: Weights) -> Sizes:
        """Add them up.

        Args:
            sizes: Shape (units,): rows of each.
            dealt: Shape (units, permutations): 1 where a unit counts as real.
        """
        by_row, by_unit = np.zeros((2, dealt.shape[1]))
        of_units = np.stack([sizes, sizes**2])
        real = _real(of_units, dealt)
        for n_rows, squares in (real, of_units.sum(axis=1)[:, None] - real):
            n = np.maximum(n_rows, 1)
            by_row, by_unit = by_row + n_rows / n**2, by_unit + squares / n**2
        return cls(by_row, by_unit)


@dataclass(frozen=True)
class VarianceComponents:
    """Of rows, the sides taken together.

    A dealing that mixes units of one row with units of several has means of other precision than the sides as they are:
    compared with such dealings as they stand, thirty people who came once differ from two hundred personas with four
    conversations each in a quarter of all cases where nothing differs. So what is permuted is divided by its standard
    error in that dealing. Components are the same in all dealings: where all units are of one size, nothing changes.

    Source:
        Janssen (1997), Studentized permutation tests for non-iid hypotheses, Statistics and Probability Letters 36;
        Chung and Romano (2013), Exact and asymptotically robust permutation tests, Annals of Statistics 41. The
        components are those of an analysis of variance with one random factor, by the method of moments.
    """

    sizes: FloatArray
    """Shape (units,): rows of each."""
    within: FloatArray
    """Shape (columns,): variance of the rows of one unit."""
    between: FloatArray
    """Shape (columns,): variance between units."""

    @classmethod
    def of(
        cls, of_unit: FloatArray | csr_matrix, sizes: FloatArray, mean_square: FloatArray
    ) -> VarianceComponents:
        """Estimate them.

        Args:
            of_unit: Shape (units, columns): sums of the rows of each unit.
            sizes: Shape (units,): rows of each.
            mean_square: Shape (columns,): mean over rows of the squared values.
        """
        n, squared_sizes = sizes.sum(), float((sizes**2).sum())
        mean = np.asarray(of_unit.sum(axis=0), np.float64).ravel() / n
        variance = (mean_square - mean**2).clip(min=0)
        squares = of_unit**2 if isinstance(of_unit, np.ndarray) else of_unit.multiply(of_unit)
        along = np.asarray(of_unit.T @ sizes, np.float64).ravel()
        of_sums = (
            np.asarray(squares.sum(axis=0), np.float64).ravel() - 2 * mean * along + mean**2 * squared_sizes
        )
        # The mean square of units' sums is size * within + size² * between; units of one row know no between.
        between = (of_sums - n * variance) / (squared_sizes - n) if squared_sizes > n else np.zeros_like(mean)
        between = between.clip(0, variance)
        return cls(sizes, variance - between, between)

    def errors(self, dealt: Weights) -> FloatArray:
        """Return the standard error of the difference of the sides' means; shape (columns, permutations).

        Args:
            dealt: Shape (units, permutations): 1 where a unit counts as real.
        """
        return self.errors_of(Sizes.of(self.sizes, dealt))

    def errors_of(self, sides: Sizes) -> FloatArray:
        """Return the same of dealings whose sides' sizes are known, which other columns may share."""
        of_rows, of_units = np.outer(self.within, sides.by_row), np.outer(self.between, sides.by_unit)
        return np.asarray(np.sqrt(of_rows + of_units), np.float64)
