"""How much a metric changes per unit of severity, with intervals over units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema.arrays import FloatArray
from convsim.stats.resampling import draw_units
from convsim.stats.severity_levels import Cells

if TYPE_CHECKING:
    from numpy.random import Generator

ROUNDING = 1e-12
"""A smaller slope is a rounding error of none."""


@dataclass(frozen=True)
class Slopes:
    """Least-squares slopes and means of all metrics, observed and resampled."""

    n_units: FloatArray
    """Shape (metrics,): units that have the metric."""
    slopes: FloatArray
    """Shape (metrics,): per unit of severity, in the metric's unit."""
    resampled: FloatArray
    """Shape (replicates, metrics)."""
    means: FloatArray
    """Shape (levels, metrics)."""
    n_at: FloatArray
    """Shape (levels, metrics): units that have the metric at a severity."""
    resampled_means: FloatArray
    """Shape (replicates, levels, metrics)."""

    @classmethod
    def of(cls, cells: Cells, severities: FloatArray, n_replicates: int, rng: Generator) -> Slopes:
        """Regress each metric on severity, over cells; resample whole units with replacement.

        Where every unit was seen at every severity, the slope is the mean of the units' own slopes.
        """
        defined = ~np.isnan(cells.values)
        y, ones = np.where(defined, cells.values, 0.0), defined.astype(np.float64)
        x = severities[cells.level_of][:, None]
        by_unit = _sum_rows(np.stack([ones, x * ones, x * x * ones, y, x * y], axis=1), cells)
        shape = (cells.n_units, len(severities), y.shape[1])
        sums, counts = np.zeros(shape), np.zeros(shape)
        sums[cells.unit_of, cells.level_of] = y
        counts[cells.unit_of, cells.level_of] = ones
        weights = draw_units(cells.n_units, n_replicates, rng).T
        observed = np.ones((1, cells.n_units))
        return cls(
            (by_unit[:, 0] > 0).sum(axis=0).astype(np.float64),
            _slope(_weighted(observed, by_unit))[0],
            _slope(_weighted(weights, by_unit)),
            _ratio(_weighted(observed, sums), _weighted(observed, counts))[0],
            counts.sum(axis=0),
            _ratio(_weighted(weights, sums), _weighted(weights, counts)),
        )

    def interval(self, metric: int, level: float) -> tuple[float, float] | None:
        """Return the interval of a slope; None where it is undefined."""
        return expanded_percentiles(self.resampled[:, metric], int(self.n_units[metric]), level=level)

    def mean_interval(self, step: int, metric: int, level: float) -> tuple[float, float] | None:
        """Return the interval of a mean at one severity; None where it is undefined."""
        n_units = int(self.n_at[step, metric])
        return expanded_percentiles(self.resampled_means[:, step, metric], n_units, level=level)


def slope_contrast(severities: FloatArray) -> FloatArray:
    """Return the weights, shape (levels,), whose product with a unit's values is its least-squares slope."""
    centred = severities - severities.mean()
    contrast: FloatArray = centred / (centred**2).sum()
    return contrast


def expanded_percentiles(resampled: FloatArray, n_units: int, *, level: float) -> tuple[float, float] | None:
    """Take the percentile interval of resampled means, widened for a small number of units.

    Plain percentiles of a mean of n units are too narrow by the root of (n - 1) / n, and by the normal where
    Student's t belongs.

    Args:
        resampled: Shape (replicates,); replicates in which the quantity is undefined are NaN and left out.
        n_units: Independent units.
        level: Confidence, e.g. 0.95.

    Returns:
        None with fewer than 2 units, or where more than a tenth of the replicates is undefined.

    Source:
        Hesterberg (2015), What teachers should know about the bootstrap, The American Statistician 69(4), section 5.3
        (expanded percentile interval).
    """
    from scipy.stats import norm, t

    kept = resampled[~np.isnan(resampled)]
    if n_units < 2 or len(kept) < 0.9 * len(resampled):
        return None
    tail = float(norm.cdf(np.sqrt(n_units / (n_units - 1)) * t.ppf((1 - level) / 2, n_units - 1)))
    low, high = np.quantile(kept, [tail, 1 - tail])
    return float(low), float(high)


def _sum_rows(values: FloatArray, cells: Cells) -> FloatArray:
    sums = np.zeros((cells.n_units, *values.shape[1:]))
    np.add.at(sums, cells.unit_of, values)
    return sums


def _weighted(weights: np.ndarray, of_units: FloatArray) -> FloatArray:
    """Sum over units with each replicate's weights: (replicates, units) and (units, a, b) give (replicates, a, b)."""
    flat = weights @ of_units.reshape(len(of_units), -1)
    return np.asarray(flat, np.float64).reshape(len(weights), *of_units.shape[1:])


def _slope(sums: FloatArray) -> FloatArray:
    n, x, xx, y, xy = (sums[:, i] for i in range(5))
    slopes = _ratio(n * xy - x * y, n * xx - x * x)
    return np.where(np.abs(slopes) < ROUNDING, 0.0, slopes)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    quotient: FloatArray = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below > 1e-12)
    return quotient
