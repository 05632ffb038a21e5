"""Do simulated shoppers shift as people do, all metrics together? One ratio: 1 as people, 0 not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convsim.schema import Interval
from convsim.schema.arrays import FloatArray

PERFECT = 1.0
NINE_OF_TEN = 1.2816
"""Standard errors that nine of ten estimates do not exceed."""


@dataclass(frozen=True)
class JointShifts:
    """The shifts of both sides in the same metrics, and how they vary together from sample to sample."""

    people: FloatArray
    """Shape (metrics,): treated less control mean, in human standard deviations."""
    simulated: FloatArray
    """Shape (metrics,), likewise."""
    covariance: FloatArray
    """Shape (2 x metrics, 2 x metrics): of people's shifts, then of the simulated ones."""

    @classmethod
    def of(
        cls,
        people: FloatArray,
        simulated: FloatArray,
        *,
        influence: FloatArray,
        lent: FloatArray | float = 0.0,
    ) -> JointShifts:
        """Add up what each independent unit contributes to the shifts.

        A unit that met both arms, or that stands on both sides, contributes to several columns: what its
        conversations have in common cancels, which is what makes a paired design narrower.

        Args:
            people: Shape (metrics,).
            simulated: Shape (metrics,).
            influence: Shape (units, 2 x metrics): a unit's contribution to the error of each shift.
            lent: Shape (2 x metrics,): variance of metrics that show none of their own.
        """
        own = influence.T @ influence
        return cls(people, simulated, own + np.diag(np.broadcast_to(lent, len(own))))

    @property
    def blocks(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Covariances of people's shifts, of the simulated ones, and of the first with the second."""
        k, v = len(self.people), self.covariance
        return v[:k, :k], v[k:, k:], v[:k, k:]

    def without(self, metric: int) -> JointShifts:
        """Leave one metric out."""
        k = len(self.people)
        kept = np.delete(np.arange(k), metric)
        both = np.concatenate([kept, k + kept])
        return JointShifts(self.people[kept], self.simulated[kept], self.covariance[np.ix_(both, both)])

    @cached_property
    def ratio(self) -> ReactionRatio:
        """The reaction ratio of these shifts."""
        return reaction_ratio(self)


@dataclass(frozen=True)
class ReactionRatio:
    """A ratio of two estimates with their variances and covariance."""

    numerator: float
    denominator: float
    variances: tuple[float, float, float]
    """Of the numerator, of both together (their covariance), and of the denominator."""

    @property
    def estimate(self) -> float | None:
        """The ratio; None where people's shifts are no larger than their errors, so that it has no sign."""
        return self.numerator / self.denominator if self.denominator > 0 else None

    def delta(self, z: float) -> Interval | None:
        """The delta method's interval, ``z`` standard errors to either side."""
        return _interval(delta_limits(self.numerator, self.denominator, self.variances, z))

    def fieller(self, z: float) -> Interval | None:
        """All ratios R at which numerator - R x denominator lies within ``z`` standard errors of 0.

        Returns:
            None where the set has no end, since the denominator itself may be 0: people hardly shift.
        """
        return _interval(fieller_limits(self.numerator, self.denominator, self.variances, z))

    def interval(self, z: float) -> Interval | None:
        """The hull of both: neither alone covers where people's shifts are weak."""
        return _interval(hull_limits(self.numerator, self.denominator, self.variances, z))


Numbers = float | FloatArray
"""One, or an array of any shape; what several arguments have in common is broadcast."""
Variances = tuple[Numbers, Numbers, Numbers]


def delta_limits(numerator: Numbers, denominator: Numbers, variances: Variances, z: float) -> FloatArray:
    """Return limits of ratios by the delta method, shape (..., 2); NaN where people do not shift."""
    top, both, bottom = variances
    positive = np.where(np.greater(denominator, 0), denominator, np.nan)
    ratio = numerator / positive
    half = z * np.sqrt(np.maximum(top - 2 * ratio * both + ratio**2 * bottom, 0.0)) / positive
    return np.stack([ratio - half, ratio + half], axis=-1)


def fieller_limits(numerator: Numbers, denominator: Numbers, variances: Variances, z: float) -> FloatArray:
    """Return limits of ratios by Fieller, shape (..., 2); NaN where they have no end."""
    top, both, bottom = variances
    a = np.square(denominator) - z**2 * bottom
    a = np.where(np.greater(denominator, 0) & np.greater(a, 0), a, np.nan)
    b = np.multiply(numerator, denominator) - z**2 * both
    c = np.square(numerator) - z**2 * top
    root = np.sqrt(np.maximum(b * b - a * c, 0.0))
    return np.stack([(b - root) / a, (b + root) / a], axis=-1)


def hull_limits(numerator: Numbers, denominator: Numbers, variances: Variances, z: float) -> FloatArray:
    """Return the hull of both, shape (..., 2); NaN where Fieller's have no end."""
    delta, fieller = (
        limits(numerator, denominator, variances, z) for limits in (delta_limits, fieller_limits)
    )
    low, high = np.minimum(delta[..., 0], fieller[..., 0]), np.maximum(delta[..., 1], fieller[..., 1])
    return np.stack([low, high], axis=-1)


def _interval(limits: FloatArray) -> Interval | None:
    low, high = limits.tolist()
    return None if np.isnan(low) or np.isnan(high) else (low, high)


def reaction_ratio(shifts: JointShifts) -> ReactionRatio:
    """By what proportion of people's shifts do simulated shoppers shift, over all metrics together?

    R = sum(D_h D_s) / sum(D_h^2), D the shifts of people and of simulated shoppers: the slope through 0 of the
    simulated shifts on people's. 1: as people do. 0: not at all, or in what people do not change. Below 0: the wrong
    way. It weighs a metric by the square of people's shift, and does not see what simulated shoppers change where
    people change nothing. From both sums is taken what sampling errors alone add: to the second tr V_h, to the first
    the covariance of both sides' errors, which is 0 unless units stand on both. The ratio of two unbiased sums is
    itself biased where the second is uncertain: upwards, by a fifth or so at 50 units an arm (tests/calibration).

    H0 of each R: the numerator less R times the denominator is 0. The interval is the hull of the delta method's and of
    Fieller's set: the first is too short where people's shifts are weak, the second too short on the near side.

    Args:
        shifts: At least one metric.

    Returns:
        The ratio; its ``estimate`` is None, and so is its interval, where people's shifts may be nothing at all.

    Source:
        Fieller (1954), Some problems in interval estimation, JRSS B 16. The debiased sums, the hull, and that V is
        that of units, are ours; first-order variances at the estimates stand for the exact ones, which makes them
        larger, by the products of errors.
    """
    h, s = shifts.people, shifts.simulated
    v_h, v_s, v_hs = shifts.blocks
    top = h @ v_s @ h + s @ v_h @ s + 2 * (s @ v_hs @ h)
    both = 2 * (h @ v_h @ s + h @ v_hs @ h)
    return ReactionRatio(
        float(h @ s - np.trace(v_hs)),
        float(h @ h - np.trace(v_h)),
        (float(top), float(both), float(4 * (h @ v_h @ h))),
    )


def largest_change(shifts: JointShifts) -> tuple[int, float | None] | None:
    """Which metric, left out, changes the ratio most, and what is the ratio without it?

    Returns:
        The metric's place and the ratio; None as the ratio where people's shift in the others is no larger than its
        error, which is the largest change of all. None if there is one metric alone or the ratio itself is undefined.
    """
    whole = shifts.ratio.estimate
    if whole is None or len(shifts.people) < 2:
        return None
    others = [shifts.without(metric).ratio.estimate for metric in range(len(shifts.people))]
    change = [np.inf if each is None else abs(each - whole) for each in others]
    place = int(np.argmax(change))
    return place, others[place]


def root_mean_square_limits(shift: FloatArray, covariance: FloatArray, z: float) -> tuple[float, float]:
    """Between what does the root mean square of one side's true shifts lie, over metrics?

    Limits by the score: the variance is taken at the limit and not at the estimate, or else the upper one is too low
    for shifts that are nearly nothing. Each fails in about the one-sided probability that ``z`` stands for.

    Args:
        shift: Shape (metrics,), in human standard deviations.
        covariance: Shape (metrics, metrics): of its errors.
        z: Standard errors.

    Returns:
        The lower and upper limit; the lower is 0 where nothing is shown.

    Source:
        The joint equivalence of validators/README.md, for shifts.
    """
    low, high = rms_limits(shift, covariance, z).tolist()
    return low, high


def rms_limits(shifts: FloatArray, covariance: FloatArray, z: float) -> FloatArray:
    """Return what ``root_mean_square_limits`` does for many shifts, shape (..., metrics); shape (..., 2)."""
    square = (shifts**2).sum(axis=-1)
    along = ((shifts @ covariance) * shifts).sum(axis=-1)
    direction = np.divide(along, square, out=np.zeros_like(square), where=square > 0)
    excess = square - float(np.trace(covariance))
    limits = _score_limits(excess, direction, covariance, z)
    return np.asarray(np.sqrt(np.maximum(limits, 0.0) / shifts.shape[-1]))


def limit_where_nothing_shifts(covariance: FloatArray, z: float) -> float:
    """Return the upper limit of a root mean square of 0 that is not exceeded in nine of ten samples.

    Nine, so that those of both sides are not in four of five.

    Args:
        covariance: Shape (metrics, metrics): of the errors of shifts.
        z: Standard errors.
    """
    squares, trace = float((covariance**2).sum()), float(np.trace(covariance))
    excess = NINE_OF_TEN * float(np.sqrt(2 * squares))
    high = float(_score_limits(excess, squares / trace if trace > 0 else 0.0, covariance, z)[1])
    return float(np.sqrt(max(high, 0.0) / len(covariance)))


def _score_limits(excess: Numbers, direction: Numbers, covariance: FloatArray, z: float) -> FloatArray:
    """Return the sums of squares t at which ``excess`` is z standard errors from t, shape (..., 2).

    Standard errors are (4 t direction + 2 tr V^2)^.5.
    """
    middle = excess + 2 * z**2 * np.asarray(direction)
    rest = float((covariance**2).sum())
    root = np.sqrt(np.maximum(middle**2 - np.square(excess) + 2 * z**2 * rest, 0.0))
    return np.stack([middle - root, middle + root], axis=-1)


def power_of_a_perfect_simulator(
    shifts: JointShifts, growth: tuple[float, float], *, margin: float, z: float
) -> float:
    """How often would a simulator that shifts just as people do be shown to, by an interval inside 1 +- ``margin``?

    People's shifts are taken as seen, less what errors add; paired units count as unpaired, which errs on the safe
    side.

    Args:
        shifts: As seen.
        growth: By what factor people's units and the simulated ones would grow.
        margin: How far from 1 the interval may reach.
        z: Half of the interval, in standard errors.
    """
    from scipy.stats import norm

    v_h, v_s, _ = shifts.blocks
    people, simulated = (
        max(float(shifts.people @ v @ shifts.people - np.trace(v @ v_h)), 0.0) for v in (v_h, v_s)
    )
    squares = shifts.ratio.denominator
    crossed, own = float(np.trace(v_h @ v_s)), float(np.trace(v_h @ v_h))
    g_h, g_s = growth

    def reached(r: float, at: float) -> float:
        """The distance from 1 to a limit ``r`` in standard errors of numerator - at x denominator."""
        weight = (1 - 2 * at) ** 2
        variance = (
            weight * people / g_h + simulated / g_s + 2 * crossed / (g_h * g_s) + 4 * at**2 * own / g_h**2
        )
        return abs(r - PERFECT) * squares / float(np.sqrt(variance)) if variance > 0 else np.inf

    above = min(reached(1 + margin, 1 + margin), reached(1 + margin, PERFECT))
    below = min(reached(1 - margin, 1 - margin), reached(1 - margin, PERFECT))
    return float(max(norm.cdf(above - z) + norm.cdf(below - z) - 1, 0.0)) if squares > 0 else 0.0


def least_factor(enough: Callable[[float], bool], bounds: tuple[float, float]) -> float:
    """Find by halving the least factor within ``bounds`` that is enough, to half a per cent; the upper bound is."""
    low, high = bounds
    if enough(low):
        return low
    while high > low * 1.005:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
