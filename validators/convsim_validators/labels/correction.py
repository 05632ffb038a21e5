"""A difference of two shares corrected for the errors of whoever counted them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from pydantic import JsonValue

from convsim.schema.arrays import FloatArray
from convsim_validators.labels.correctable import Tallies

Limits = tuple[float, float]


class Estimated(NamedTuple):
    """A number and its 95 % interval."""

    estimate: float
    interval: Limits

    def described(self) -> dict[str, JsonValue]:
        """Return it as JSON."""
        return {"estimate": self.estimate, "interval": list(self.interval)}


class Resampled(NamedTuple):
    """What resampled units say of one question; shape (replicates,) each."""

    real: FloatArray
    """The proportion that the annotator counts on the real side."""
    simulated: FloatArray
    sensitivity: FloatArray
    specificity: FloatArray


@dataclass(frozen=True)
class Adjusted:
    """The difference without the annotator's errors."""

    difference: Estimated
    limits_90: Limits
    real: Estimated
    simulated: Estimated


@dataclass(frozen=True)
class Correction:
    """One question: as counted, how good the annotator is, and what remains without its errors.

    Where the truth is a share p, an annotator counts q = sensitivity p + (1 - specificity)(1 - p). So
    p = (q + specificity - 1) / J with Youden's J = sensitivity + specificity - 1, and the difference of two sides is
    the counted difference divided by J. Sensitivity and specificity are estimated where a reference is known, and
    assumed to hold on both sides.

    The interval of the difference is Fieller's for a ratio; variances and covariance come from resampling units of both
    sides and of the calibrated part at once. It is bounded exactly where the interval of J excludes 0; elsewhere the
    adjustment is refused.

    Source:
        Rogan and Gladen (1978), Estimating prevalence from the results of a screening test. Lang and Reiczigel (2014),
        Confidence limits for prevalence of disease adjusted for estimated sensitivity and specificity: imagined
        observations keep small calibration sets honest; theirs are for independent items, ours for whole units.
        Fieller (1954), Some problems in interval estimation.
    """

    raw: Estimated
    sensitivity: Estimated
    specificity: Estimated
    youden: Estimated
    adjusted: Adjusted | None
    """None where it is refused: the interval of J is not above 0."""

    @classmethod
    def of(
        cls, real: Tallies, simulated: Tallies, question: int, drawn: Resampled, *, degrees: int
    ) -> Correction | None:
        """Correct one question; None where the reference calls every item yes, or none.

        Args:
            real: The real side, some of it with a reference.
            simulated: The simulated side.
            question: Which question of both.
            drawn: The same question, resampled.
            degrees: Degrees of freedom of Student's t, calibrated units - 1.
        """
        from scipy.stats import t

        rates = [float(rate[question]) for rate in real.rates()]
        if np.isnan(rates).any():
            return None
        counted = float(real.counted[question]), float(simulated.counted[question])
        smoothed = sum(float(rate[question]) for rate in real.smoothed_rates()) - 1
        youden = sum(rates) - 1
        difference, youdens = drawn.simulated - drawn.real, drawn.sensitivity + drawn.specificity - 1
        covariance = np.cov(difference, youdens)
        wide, narrow = (float(t.ppf(level, degrees)) for level in (0.975, 0.95))
        spread = wide * float(np.sqrt(covariance[1, 1]))
        raw = counted[1] - counted[0]
        adjusted = None
        if min(smoothed - spread, youden) > 0:
            shares = [
                Estimated(
                    float(np.clip((share + rates[1] - 1) / youden, 0, 1)),
                    limits(np.clip((again + drawn.specificity - 1) / np.maximum(youdens, 1e-6), 0, 1)),
                )
                for share, again in zip(counted, (drawn.real, drawn.simulated), strict=True)
            ]
            adjusted = Adjusted(
                Estimated(float(np.clip(raw / youden, -1, 1)), fieller(raw, smoothed, covariance, wide)),
                fieller(raw, smoothed, covariance, narrow),
                *shares,
            )
        return cls(
            raw=Estimated(raw, limits(difference)),
            sensitivity=Estimated(rates[0], limits(drawn.sensitivity)),
            specificity=Estimated(rates[1], limits(drawn.specificity)),
            youden=Estimated(youden, (max(-1.0, smoothed - spread), min(1.0, smoothed + spread))),
            adjusted=adjusted,
        )


def fieller(above: float, below: float, covariance: FloatArray, quantile: float) -> Limits:
    """Return the limits of a ratio that lies within [-1, 1].

    Args:
        above: Numerator.
        below: Denominator; more than ``quantile`` standard errors above 0.
        covariance: Shape (2, 2), of numerator and denominator.
        quantile: Of Student's t, such as 1.96.
    """
    squared = quantile**2
    a = below**2 - squared * covariance[1, 1]
    b = above * below - squared * covariance[0, 1]
    c = above**2 - squared * covariance[0, 0]
    root = np.sqrt(max(b**2 - a * c, 0.0))
    return float(np.clip((b - root) / a, -1, 1)), float(np.clip((b + root) / a, -1, 1))


def limits(values: FloatArray) -> Limits:
    """Return the limits of a 95 % percentile interval."""
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
