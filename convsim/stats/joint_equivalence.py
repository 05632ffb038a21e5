"""Are two populations alike on average over many metrics? One number, its limits, and a rule that decides early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray
from convsim.stats.contrasts import Contrasts
from convsim.stats.equivalence import normal_quantile

if TYPE_CHECKING:
    from numpy.random import Generator

JOINT_MARGIN = 0.147
"""The upper end of a "negligible" Cliff's delta (Romano et al. 2006), here of its root mean square."""
SPREAD_MARGIN = 0.25
"""Of the root mean square of the spread score: between normal distributions, 1.44 times the standard deviation."""
STRETCH = 1.8 / 1.645
"""By how much limits are wider than the normal distribution says, which the estimated variances make a little bold."""
N_DRAWS = 2_000
ENOUGH_VARIETY = (1 - 0.9**3 - 0.1**3) / 3
"""The variance of ranks, from -1 to 1, where one conversation in ten has another value than the rest."""


@dataclass(frozen=True)
class JointRule:
    """What counts as alike on average over metrics: location and spread both have to."""

    margin: float = JOINT_MARGIN
    """Of the root mean square of Cliff's delta over metrics."""
    alpha: float = 0.05
    """The probability of calling populations at a margin alike."""
    spread_margin: float = SPREAD_MARGIN
    """Of the root mean square of the spread score."""

    @property
    def z(self) -> float:
        """Standard errors to one side."""
        return normal_quantile(1 - self.alpha) * STRETCH

    def at(self, margin: float) -> JointRule:
        """Return the rule with another margin of location, and that of spread in proportion."""
        factor = margin / self.margin if self.margin else 1.0
        return JointRule(margin, self.alpha, self.spread_margin * factor)


@dataclass(frozen=True)
class Joint:
    """The joint distance of two sides: the mean square of a contrast over metrics, less its bias.

    H0 of the equivalence test: the populations lie at least a margin apart. Its variance is that *at the margin*, not
    at the estimate, which is what makes a Wald test too bold. Rejecting it says that they are alike on average, which
    one metric that is far off may hide: ``far_off`` asks that of each. Location and spread are tested each at its own
    margin, and both have to be alike, so that neither costs the other anything (an intersection-union test).

    Source:
        A score test of a quadratic form, as Schuirmann's (1987) one-sided test for equivalence; see Wellek (2010),
        Testing statistical hypotheses of equivalence and noninferiority, chapter 6 (several dimensions); Berger and Hsu
        (1996) for the intersection-union test. The variance of a quadratic form of normal variables is
        4 m'Sm + 2 tr S². Error at the margin, share decided and coverage are shown in tests/calibration.
    """

    estimates: FloatArray
    """Shape (metrics,)."""
    covariance: FloatArray
    """Shape (metrics, metrics)."""
    weights: FloatArray
    """Shape (metrics,): adding up to 1."""

    @classmethod
    def of(cls, contrasts: Contrasts, which: Literal["delta", "spread"] = "delta") -> Joint:
        """Join the metrics' deltas or spreads, each with the weight of ``metric_weights``."""
        k = len(contrasts.names)
        rows = slice(0, k) if which == "delta" else slice(k, 2 * k)
        return cls(contrasts.estimates[rows], contrasts.covariance[rows, rows], metric_weights(contrasts))

    @cached_property
    def _scaled(self) -> tuple[FloatArray, FloatArray]:
        root = np.sqrt(self.weights)
        return self.estimates * root, self.covariance * np.outer(root, root)

    @cached_property
    def square(self) -> float:
        """The debiased mean square; below 0 where the sides lie nearer than chance would have them."""
        d, covariance = self._scaled
        return float(d @ d - np.trace(covariance))

    @property
    def distance(self) -> float:
        """The debiased root mean square: 0 if nothing differs on average."""
        return sqrt(max(0.0, self.square))

    def limits(self, z: float) -> tuple[float, float]:
        """Return the distances that a test ``z`` standard errors wide does not refuse; the lower one may be 0."""
        d, covariance = self._scaled
        noise = 2 * float((covariance**2).sum())
        half = 2 * z**2 * _along(d, covariance)
        # t - square = -+ sqrt(2 half t + z² noise), solved for t, the population's mean square.
        under_root = half**2 + 2 * half * self.square + z**2 * noise
        root = sqrt(max(0.0, under_root))
        low, high = self.square + half - root, self.square + half + root
        return sqrt(max(0.0, low)), sqrt(max(0.0, high))

    def contributions(self, names: tuple[str, ...]) -> Mapping[str, float]:
        """Return what each metric adds to the mean square, its bias taken out; they add up to ``square``."""
        d, covariance = self._scaled
        return dict(zip(names, map(float, d**2 - np.diag(covariance)), strict=True))


def _along(d: FloatArray, covariance: FloatArray) -> float:
    """Return the variance in the direction of the difference; its mean over directions where there is none."""
    length = float(d @ d)
    if length > 0:
        return float(d @ covariance @ d) / length
    trace = float(np.trace(covariance))
    return float((covariance**2).sum()) / trace if trace > 0 else 0.0


def metric_weights(contrasts: Contrasts) -> FloatArray:
    """Return the weight of each metric; shape (metrics,), adding up to 1.

    All weigh the same, but for those in which more than nine of ten conversations have one value: these weigh less in
    proportion to the variance of their ranks, either side counting half. A habit that hardly anybody shows says little,
    and a crowd of such metrics must not make two populations alike on average.
    """
    variety = np.asarray([contrasts.by_metric[name].rank_variance for name in contrasts.names])
    weights = np.minimum(1.0, variety / ENOUGH_VARIETY)
    total = float(weights.sum())
    return weights / total if total > 0 else np.full(len(weights), 1 / len(weights))


def far_off(
    estimates: FloatArray, covariance: FloatArray, margins: FloatArray, *, alpha: float, rng: Generator
) -> BoolArray:
    """Which of many contrasts lie beyond their margins for sure, all of them looked at together?

    H0, for each: it lies within its margin. The family-wise error is at most ``alpha``.

    Args:
        estimates: Shape (contrasts,).
        covariance: Shape (contrasts, contrasts).
        margins: Shape (contrasts,).
        alpha: The family-wise error.
        rng: Draws the largest of the correlated errors.

    Source:
        Hothorn, Bretz and Westfall (2008), Simultaneous inference in general parametric models.
    """
    errors = np.sqrt(np.diag(covariance))
    told = errors > 0
    beyond = np.abs(estimates) > margins
    if not told.any():
        return beyond
    correlation = covariance[np.ix_(told, told)] / np.outer(errors[told], errors[told])
    largest = np.abs(normal_draws(correlation, N_DRAWS, rng)).max(axis=1)
    critical = float(np.quantile(largest, 1 - alpha))
    return np.asarray(np.abs(estimates) - critical * errors > margins)


def normal_draws(covariance: FloatArray, n: int, rng: Generator) -> FloatArray:
    """Draw from a normal distribution with mean 0, shape (n, columns), whatever the rank of its covariance."""
    values, vectors = np.linalg.eigh(covariance)
    draws: FloatArray = rng.standard_normal((n, len(values))) @ (vectors * np.sqrt(values.clip(min=0))).T
    return draws


def joint_power(
    covariance: FloatArray,
    weights: FloatArray,
    rule: JointRule,
    *,
    truth: FloatArray | None = None,
    n_draws: int = N_DRAWS,
    rng: Generator,
) -> float:
    """With what probability is the average found to be alike?

    Args:
        covariance: Of the estimates at the sizes asked about, shape (2 * metrics, 2 * metrics).
        weights: Shape (metrics,).
        rule: Margin and error rate.
        truth: What the populations differ by, shape (2 * metrics,); nothing where it is None.
        n_draws: Estimates that are drawn.
        rng: Draws them.
    """
    k = len(weights)
    drawn = normal_draws(covariance, n_draws, rng) + (0 if truth is None else truth)
    root = np.sqrt(weights)
    alike = np.ones(n_draws, bool)
    for rows, margin in ((slice(0, k), rule.margin), (slice(k, 2 * k), rule.spread_margin)):
        d, scaled = drawn[:, rows] * root, covariance[rows, rows] * np.outer(root, root)
        length = (d**2).sum(axis=1)
        along = np.divide(((d @ scaled) * d).sum(axis=1), length, out=np.zeros(n_draws), where=length > 0)
        noise = 2 * float((scaled**2).sum())
        upper = length - float(np.trace(scaled)) + rule.z * np.sqrt(4 * margin**2 * along + noise)
        alike &= upper <= margin**2
    return float(alike.mean())
