"""The mean of a bounded number over few personas, judged without trusting that what was not seen does not exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema import Metric
from convsim.stats.ecdf import FloatArray

if TYPE_CHECKING:
    from numpy.random import Generator


@dataclass(frozen=True)
class BoundedMean:
    """What the mean of n values in [-bound, bound] may be.

    A bootstrap of twenty equal differences has no spread at all, and would take a rare reaction for none. Here one
    imagined persona at the far bound stands beside those that were seen, and all are weighted at random: with values
    0 and 1 the limits are those of Clopper and Pearson.

    Source:
        Learned-Miller and Thomas (2019), A new confidence interval for the mean of a bounded random variable,
        arXiv 1905.06208 (Gaffke's bound; its coverage is conjectured, and measured in tests/calibration).
    """

    upwards: FloatArray
    """Shape (draws,): means with the imagined persona at the upper bound."""
    downwards: FloatArray

    @classmethod
    def of(cls, values: FloatArray, bound: float, n_draws: int, rng: Generator) -> BoundedMean:
        """Weigh ``values``, shape (n,), each within ``bound`` of 0; n at least 1."""
        weights = rng.standard_exponential((n_draws, len(values) + 1))
        weights /= weights.sum(axis=1, keepdims=True)
        seen = weights[:, :-1] @ values
        return cls(seen + weights[:, -1] * bound, seen - weights[:, -1] * bound)

    def interval(self, level: float) -> tuple[float, float]:
        """Return the limits of a two-sided interval, e.g. at 0.95."""
        tail = (1 - level) / 2
        return float(np.quantile(self.downwards, tail)), float(np.quantile(self.upwards, 1 - tail))

    def p_below(self, threshold: float) -> float:
        """Return the p-value of H0 "the mean is at least ``threshold``"."""
        return (int((self.upwards >= threshold).sum()) + 1) / (len(self.upwards) + 1)

    def p_above(self, threshold: float) -> float:
        """Return the p-value of H0 "the mean is at most ``threshold``"."""
        return (int((self.downwards <= threshold).sum()) + 1) / (len(self.downwards) + 1)


def spread_of(metric: Metric, values: FloatArray) -> float:
    """Return how far apart two values can lie: 1 for shares, the scale of a label, else the range that was seen."""
    if metric.label is not None and metric.label.scale is not None:
        low, high = metric.label.scale
        return float(high - low)
    if is_share(metric):
        return 1.0
    known = values[~np.isnan(values)]
    return float(np.ptp(known)) if len(known) else 0.0


def is_bounded(metric: Metric) -> bool:
    """Whether a metric's bounds are known: a share by its unit, or a label with a scale."""
    return is_share(metric) or (metric.label is not None and metric.label.scale is not None)


def is_share(metric: Metric) -> bool:
    """Whether a metric lies between 0 and 1 by its unit."""
    return metric.unit.split(" ")[0] == "share"
