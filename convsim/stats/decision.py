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


def equivalence_level(alpha: float) -> float:
    """Return the level of the interval that is two one-sided tests at ``alpha``: .90 at .05."""
    return 1 - 2 * alpha


def interval_name(alpha: float) -> str:
    """Name that interval, as ``90 % interval``."""
    return f"{100 * equivalence_level(alpha):.4g} % interval"


@dataclass(frozen=True)
class Evidence:
    """The numbers of a two-sample comparison that a verdict depends on."""

    distance: float
    upper: float
    """Upper end of the interval of the distance that is two one-sided tests at ``alpha``."""
    margin: float
    p_adjusted: float | None
    """None where no test could be made."""
    growth: float | None = None
    """By what factor both sides must grow for ``aligned`` to come out in four of five cases if nothing differs."""
    alpha: float = ALPHA
    """The error rate of this look."""


@dataclass(frozen=True)
class Decision:
    """A verdict, why, and (where undecided) by what factor both sides must grow to decide."""

    verdict: Literal["aligned", "different", "undecided"]
    reason: str
    growth: float | None = None


def decide(evidence: Evidence) -> Decision:
    """Apply the rule: aligned if shown to be within the margin, else different if shown, else undecided.

    Reasons state no p-value: it has a column of its own, and is corrected for the other validators of a card later.
    """
    e = evidence
    limits = f"distance {e.distance:.3f}, at most {e.upper:.3f} ({interval_name(e.alpha)})"
    if e.upper <= e.margin:
        return Decision("aligned", f"{limits}, is within the margin of {e.margin:g}")
    if e.p_adjusted is not None and e.p_adjusted <= e.alpha:
        return Decision("different", f"distance {e.distance:.3f} is more than chance explains")
    enough = e.growth is not None and e.growth <= 1
    return Decision(
        "undecided",
        f"{'not decided' if enough else 'too little data'}: {limits}, is neither within the margin of {e.margin:g} nor "
        "shown to be different"
        + ("; if nothing differed, this much data would show it in four of five cases" if enough else ""),
        None if enough else e.growth,
    )


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
