"""The total variation distance between two populations' proportions, with an interval that holds near zero too."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from convsim.schema.arrays import FloatArray
from convsim.stats.decision import MAX_GROWTH
from convsim.stats.sample_size import ONE_SIDED_ERRORS, POWER

NEAR = 3.0
"""A difference within this many standard errors of 0 may be 0 in the populations."""


def total_variation(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return half the sum of the proportions' differences, along the first axis: 0 (alike) to 1 (nothing in common)."""
    return np.asarray(np.abs(first - second).sum(axis=0) / 2, np.float64)


@dataclass(frozen=True)
class Differences:
    """Differences of proportions, and how resampling moves them."""

    observed: FloatArray
    """Shape (kinds,)."""
    process: FloatArray
    """Shape (kinds, replicates): how far each replicate's difference lies from the observed one."""
    n_units: tuple[int, int]
    """Independent units of the real and of the simulated side."""

    @classmethod
    def of(
        cls,
        shares: tuple[FloatArray, FloatArray],
        resampled: tuple[FloatArray, FloatArray],
        n_units: tuple[int, int],
    ) -> Differences:
        """Take them from both sides' proportions, shape (kinds,), and resampled ones, shape (kinds, replicates)."""
        observed = shares[0] - shares[1]
        return cls(observed, resampled[0] - resampled[1] - observed[:, None], n_units)

    @property
    def estimate(self) -> float:
        """The total variation distance of the samples."""
        return float(np.abs(self.observed).sum() / 2)

    def confidence_limits(self, level: float) -> tuple[float, float]:
        """How far apart may the two populations be?

        A sum of absolute differences has a kink wherever one of them is 0: there both directions make it larger, so
        that the sample's distance is biased upwards and a bootstrap's doubly so.

        *Lower*: the distance less a quantile of its directional derivative: a difference that may be 0 counts with the
        size of its deviation, any other with its deviation in the direction of the difference.

        *Upper*: the same with every difference taken in its own direction. The sample's distance is at least the
        population's plus those deviations (a sum of absolute values is convex), so no bias has to be taken out, and the
        limit is cautious where little differs. It is no less than what may be unseen: eight conversations that all go
        one way are no proof that all others do.

        Source:
            Fang and Santos (2019), Inference on directionally differentiable functions, Review of Economic Studies 86.
            Coverage is shown in tests/calibration.
        """
        errors = self.process.std(axis=1)
        may_be_none = np.abs(self.observed) <= NEAR * errors
        signed = np.sign(self.observed)[:, None] * self.process
        derivative = np.where(may_be_none[:, None], np.abs(self.process), signed).sum(axis=0) / 2
        low = self.estimate - float(np.quantile(derivative, (1 + level) / 2))
        high = self.estimate - float(np.quantile(signed.sum(axis=0) / 2, (1 - level) / 2))
        z = NormalDist().inv_cdf((1 + level) / 2)
        unseen = math.hypot(*(z**2 / (n + z**2) for n in self.n_units))
        return max(0.0, low), min(1.0, max(high, self.estimate, unseen))

    def growth_to_align(self, margin: float, *, errors: float = ONE_SIDED_ERRORS) -> float:
        """By what factor must both sides grow for the upper limit to lie inside the margin if nothing differs?

        The limit lies ``errors`` standard errors beyond the distance.

        If nothing differs, each replicate's deviations are what another sample might have shown: its distance and the
        reach of its upper limit shrink with the root of the size. This is the factor at which four in five come inside.
        """
        if margin <= 0:
            return MAX_GROWTH
        covariance = np.cov(self.process)
        signs = np.sign(self.process)
        reach = np.sqrt(np.einsum("kb,kb->b", signs, covariance @ signs).clip(min=0)) / 2
        limits = np.abs(self.process).sum(axis=0) / 2 + errors * reach
        unseen = errors**2 * (2**0.5 / margin - 1) / min(self.n_units)
        return min(MAX_GROWTH, max((float(np.quantile(limits, POWER)) / margin) ** 2, unseen))


def power_to_align(
    deviations: tuple[FloatArray, FloatArray], n_units: tuple[float, float], margin: float, *, errors: float
) -> float:
    """With what probability does the upper limit of the distance lie inside the margin if nothing differs?

    Each replicate is what other samples might have shown (see ``Differences.growth_to_align``).

    Args:
        deviations: Of the real and of the simulated side: how far each replicate's proportions lie from the observed
            ones, at the sizes asked for; shape (kinds, replicates).
        n_units: Independent units of both sides at these sizes.
        margin: What the limit must not pass.
        errors: Standard errors to the limit.
    """
    if math.hypot(*(errors**2 / (n + errors**2) for n in n_units)) > margin:
        return 0.0
    process = deviations[0] - deviations[1]
    signs = np.sign(process)
    reach = np.sqrt(np.einsum("kb,kb->b", signs, np.cov(process) @ signs).clip(min=0)) / 2
    return float((np.abs(process).sum(axis=0) / 2 + errors * reach <= margin).mean())
