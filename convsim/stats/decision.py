"""From numbers to a verdict: equivalence is tested first, then difference; else, how much more data would decide."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from convsim.schema import Metric, Verdict
from convsim.schema.arrays import FloatArray

if TYPE_CHECKING:
    from numpy.random import Generator

MIN_UNITS = 8
"""Fewer independent personas decide nothing."""


class Judgement(NamedTuple):
    """A verdict, why, and (where undecided) about how many personas would decide."""

    verdict: Verdict
    reason: str
    n_to_decide: int | None = None


ALPHA = 0.05
EQUIVALENCE_LEVEL = 0.90
"""A 90 % interval inside the margin is two one-sided tests at 5 % (Schuirmann 1987)."""
MAX_GROWTH = 1e6


@dataclass(frozen=True)
class Evidence:
    """The numbers of a two-sample comparison that a verdict depends on."""

    distance: float
    upper: float
    """Upper end of the 90 % interval of the distance."""
    margin: float
    p_adjusted: float
    baseline_mean: float
    baseline_q95: float
    zero: float = 0.0
    """The distance's value where nothing differs: 0, or .5 for an AUC."""
    name: str = "distance"
    """What reasons call the distance."""


@dataclass(frozen=True)
class Decision:
    """A verdict, why, and (where undecided) by what factor both sides must grow to decide."""

    verdict: Literal["aligned", "different", "undecided"]
    reason: str
    growth: float | None = None


def decide(evidence: Evidence) -> Decision:
    """Apply the rule: aligned within the margin, else different beyond the human baseline, else undecided."""
    e = evidence
    detectable = e.p_adjusted <= ALPHA and e.distance > e.baseline_q95
    if e.upper <= e.margin:
        also = (
            f"; a difference is detectable (adjusted p = {e.p_adjusted:.3g}) but small" if detectable else ""
        )
        return Decision(
            "aligned",
            f"{e.name} {e.distance:.3f}, at most {e.upper:.3f} (90 % interval), is within the margin of {e.margin:g}"
            f"{also}",
        )
    if detectable:
        return Decision(
            "different",
            f"{e.name} {e.distance:.3f} is beyond what two groups of people show ({e.baseline_q95:.3f}); adjusted "
            f"p = {e.p_adjusted:.3g}",
        )
    growth = _growth_to_decide(e)
    return Decision(
        "undecided",
        f"too little data: {e.name} {e.distance:.3f}, at most {e.upper:.3f} (90 % interval), is neither within the "
        f"margin of {e.margin:g} nor shown to be different (two groups of people show {e.baseline_q95:.3f}; adjusted "
        f"p = {e.p_adjusted:.3g})",
        growth,
    )


def _growth_to_decide(e: Evidence) -> float:
    """By what factor must both sides grow for a verdict, if the population's distance is what it now seems?

    The distance expected at equal populations is taken out of the observed one in squares; noise shrinks with
    the root of the size.
    """
    baseline_mean = max(e.baseline_mean - e.zero, 0.0)
    population = float(np.sqrt(max(max(e.distance - e.zero, 0.0) ** 2 - baseline_mean**2, 0.0)))
    half_width = e.upper - e.distance
    growths = np.geomspace(1.0, MAX_GROWTH, 4000)
    expected = np.hypot(population, baseline_mean / np.sqrt(growths))
    aligned = expected + half_width / np.sqrt(growths) <= e.margin - e.zero
    different = expected > 1.5 * (e.baseline_q95 - e.zero) / np.sqrt(growths)
    settled = aligned | different
    return float(growths[np.argmax(settled)]) if settled.any() else MAX_GROWTH


def grown(n: int, growth: float) -> int:
    """Return ``n`` times ``growth``, rounded up to two figures."""
    needed = max(n + 1, math.ceil(n * growth))
    step = int(10 ** max(len(str(needed)) - 2, 0))
    return -(-needed // step) * step


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
    """Return how far apart two values can lie: 1 for proportions, the scale of a label, else the range seen."""
    if metric.label is not None and metric.label.scale is not None:
        low, high = metric.label.scale
        return float(high - low)
    if is_proportion(metric):
        return 1.0
    known = values[~np.isnan(values)]
    return float(np.ptp(known)) if len(known) else 0.0


def is_bounded(metric: Metric) -> bool:
    """Whether a metric's bounds are known: a proportion by its unit, or a label with a scale."""
    return is_proportion(metric) or (metric.label is not None and metric.label.scale is not None)


def is_proportion(metric: Metric) -> bool:
    """Whether a metric lies between 0 and 1 by its unit; own metrics may also say "proportion of …"."""
    return metric.unit.split(" ")[0] in ("proportion", "share")
