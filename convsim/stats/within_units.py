"""How much of what varies lies between users? The intraclass correlation of many metrics at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.resampling import Weights


@dataclass(frozen=True)
class Repeated:
    """Units with several conversations: what an analysis of variance needs of each."""

    n: FloatArray
    """Shape (units, columns): conversations in which the metric is defined; 0 where there are fewer than two."""
    sums: FloatArray
    """Shape (units, columns)."""
    squares: FloatArray
    """Shape (units, columns)."""

    @classmethod
    def of(cls, values: FloatArray, unit_of: IntArray, n_units: int) -> Repeated:
        """Add up each unit's values.

        Args:
            values: Shape (rows, columns), NaN where undefined.
            unit_of: Shape (rows,).
            n_units: How many units there are.
        """
        defined = ~np.isnan(values)
        kept = np.where(defined, values, 0.0)
        n, sums, squares = np.zeros((3, n_units, values.shape[1]))
        np.add.at(n, unit_of, defined.astype(np.float64))
        np.add.at(sums, unit_of, kept)
        np.add.at(squares, unit_of, kept**2)
        several = n >= 2
        return cls(n * several, sums * several, squares * several)

    def units(self, side: BoolArray) -> int:
        """Return how many units of a side, shape (units,), have several conversations in some metric."""
        return int(((self.n > 0).any(axis=1) & side).sum())

    def correlation(self, side: Weights) -> FloatArray:
        """How much of the variance of a metric lies between units? The mean over metrics; shape (draws,).

        1 where a unit always does the same and units differ, 0 where conversations of one unit are no more alike than
        those of two; below 0 where they are less so. Metrics that do not vary on the side are left out of its mean.

        Args:
            side: Shape (units, draws): 1 where a unit belongs to the side.

        Source:
            Shrout and Fleiss (1979), Intraclass correlations, case 1, by an analysis of variance with one random
            factor; for unequal numbers with n0 of Snedecor and Cochran (1989), section 13.7.
        """
        has = (self.n > 0).astype(np.float64)
        of_unit = np.divide(self.sums**2, self.n, out=np.zeros_like(self.n), where=self.n > 0)
        units, n, n_squared, sums, squares, between = (
            each.T @ side for each in (has, self.n, self.n**2, self.sums, self.squares, of_unit)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_between = (between - sums**2 / n) / (units - 1)
            mean_within = (squares - between) / (n - units)
            n0 = (n - n_squared / n) / (units - 1)
            found = (mean_between - mean_within) / (mean_between + (n0 - 1) * mean_within)
        usable = (units >= 2) & np.isfinite(found)
        total = np.where(usable, found, 0.0).sum(axis=0)
        return np.asarray(total / np.maximum(usable.sum(axis=0), 1), np.float64)
