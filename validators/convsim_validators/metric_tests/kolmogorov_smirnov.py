"""The Kolmogorov-Smirnov distance between two populations, with an interval that holds near zero too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypedDict

import numpy as np

from convsim.schema.arrays import FloatArray
from convsim.stats.ecdf import cumulative
from convsim.stats.proportions import wilson_limits

BAND_LEVEL = 0.95
NEAR_EXTREMAL_BANDS = 1.5
"""Points within this many simultaneous bands of the largest difference may be where the population's stands."""


class Resamples(NamedTuple):
    """Cell counts of both sides: observed, shape (cells,), and resampled, shape (cells, replicates)."""

    real: FloatArray
    simulated: FloatArray
    resampled_real: FloatArray
    resampled_simulated: FloatArray


class MostCommon(TypedDict):
    """How often the most common value comes, and how many units that is worth, by side."""

    largest_atoms: tuple[float, float]
    n_units: tuple[float, float]


class Deviations(NamedTuple):
    """How far resampling moved two distribution functions apart, around where they differ most; shape (replicates,)."""

    near_largest: FloatArray
    """The largest deviation, with the difference's sign, over all points where the populations' largest may stand."""
    at_largest: FloatArray
    """The deviation, with the difference's sign, at the sample's own largest difference."""

    @classmethod
    def of(cls, difference: FloatArray, process: FloatArray) -> Deviations:
        """Read them off.

        Args:
            difference: Shape (cells,): of two empirical distribution functions.
            process: Shape (cells, replicates): how far each replicate's difference lies from it.
        """
        at = int(np.abs(difference).argmax())
        largest = float(np.abs(difference[at]))
        band = NEAR_EXTREMAL_BANDS * float(np.quantile(np.abs(process).max(axis=0), BAND_LEVEL))
        above, below = difference >= largest - band, -difference >= largest - band
        signed = np.concatenate([process[above], -process[below]])
        return cls(signed.max(axis=0), np.sign(difference[at]) * process[at])


def statistic(real: FloatArray, simulated: FloatArray) -> float:
    """Return the exact distance of two samples of shape (n,) and (m,): SciPy's ``ks_2samp(...).statistic``."""
    points = np.unique(np.concatenate([real, simulated]))
    shares = [np.searchsorted(np.sort(side), points, side="right") / len(side) for side in (real, simulated)]
    return float(np.abs(shares[0] - shares[1]).max())


def distance(real: FloatArray, simulated: FloatArray) -> FloatArray:
    """Return the largest difference of two distribution functions, for cell counts of shape (cells, ...)."""
    largest: FloatArray = np.abs(cumulative(real) - cumulative(simulated)).max(axis=0)
    return largest


@dataclass(frozen=True)
class Distributions:
    """Two distribution functions at the cells' upper ends, and how resampling moves them."""

    real: FloatArray
    """Shape (cells,)."""
    simulated: FloatArray
    process: FloatArray
    """Shape (cells, replicates): how far each replicate's difference, real less simulated, lies from the observed."""
    effective: tuple[FloatArray, FloatArray]
    """Shape (cells,) each: how many resampling units each side's proportions are worth."""
    n_units: tuple[int, int]

    @classmethod
    def of(cls, sample: Resamples, n_units: tuple[int, int]) -> Distributions:
        """Read them off resampled counts.

        Args:
            sample: Counts of the cells, observed and resampled by unit.
            n_units: Independent units of the real and of the simulated side.
        """
        real, simulated = cumulative(sample.real), cumulative(sample.simulated)
        resampled_real = cumulative(sample.resampled_real)
        resampled_simulated = cumulative(sample.resampled_simulated)
        effective = (
            _effective_units(real, resampled_real, n_units[0]),
            _effective_units(simulated, resampled_simulated, n_units[1]),
        )
        process = (resampled_real - resampled_simulated) - (real - simulated)[:, None]
        return cls(real, simulated, process, effective, n_units)

    @property
    def difference(self) -> FloatArray:
        """Shape (cells,): real less simulated."""
        return self.real - self.simulated

    def confidence_limits(self, level: float) -> tuple[float, float]:
        """How far apart may the two populations be?

        The plain bootstrap of a supremum is biased upwards near zero. Both limits avoid that.

        *Lower*: the distance less a quantile of the bootstrapped process, not over all points but over those where the
        difference is nearly as large as the largest, with its sign: the directional derivative of the supremum. Points
        within one and a half simultaneous bands of the largest count as near, so that at equality all do.

        *Upper*: the largest, over points, of a pointwise upper limit for the difference. The population's largest
        difference stands at some point, and the limit at that point covers it whichever it is; no bias has to be
        removed. The pointwise limit is Newcombe's hybrid score limit with each side's effective number of units, so
        that a constant column of ten conversations is not taken for proof.

        Args:
            level: Confidence of the two-sided interval, e.g. 0.95.

        Returns:
            Limits within 0 and 1.

        Source:
            Fang and Santos (2019), Inference on directionally differentiable functions, Review of Economic Studies 86;
            Dette, Kokot and Aue (2020), Functional data analysis in the Banach space of continuous functions, Annals of
            Statistics 48 (near-extremal sets); Newcombe (1998), Interval estimation for the difference between
            independent proportions, Statistics in Medicine 17, method 10. We depart in the near-extremal band, a
            bootstrap quantile rather than c log(n)/sqrt(n); coverage is shown in tests/calibration.
        """
        from scipy.stats import norm

        real, simulated, difference = self.real, self.simulated, self.difference
        largest = float(np.abs(difference).max())
        near_largest = Deviations.of(difference, self.process).near_largest
        lower = max(0.0, largest - float(np.quantile(near_largest, (1 + level) / 2)))

        z = float(norm.ppf((1 + level) / 2))
        low_real, high_real = wilson_limits(real, self.effective[0], z)
        low_simulated, high_simulated = wilson_limits(simulated, self.effective[1], z)
        upwards = difference + np.hypot(high_real - real, simulated - low_simulated)
        downwards = -difference + np.hypot(real - low_real, high_simulated - simulated)
        upper = float(max(upwards[:-1].max(initial=0.0), downwards[:-1].max(initial=0.0)))
        if len(difference) == 1:
            # One value on both sides: how large a proportion of other values may still be unseen?
            upper = float(np.hypot(1 - low_real[0], 1 - low_simulated[0]))
        return lower, min(1.0, max(upper, largest))

    def most_common(self, real: FloatArray, simulated: FloatArray) -> MostCommon:
        """Return how often the most common value comes on each side, and how many units these proportions are worth.

        Args:
            real: Observed counts of the cells, shape (cells,).
            simulated: The same of the simulated side.
        """
        shares = [side / side.sum() for side in (real, simulated)]
        cell = int((shares[0] + shares[1]).argmax())
        # The proportion at one end of the cells is that of a distribution function, or all but one.
        at = {0: 0, len(real) - 1: len(real) - 2}.get(cell)
        units = self.n_units if at is None or at < 0 else tuple(float(side[at]) for side in self.effective)
        return {
            "largest_atoms": (float(shares[0][cell]), float(shares[1][cell])),
            "n_units": (float(units[0]), float(units[1])),
        }


def _effective_units(share: FloatArray, resampled: FloatArray, n_units: int) -> FloatArray:
    variance = resampled.var(axis=1)
    binomial = share * (1 - share)
    effective = np.divide(binomial, variance, out=np.full(len(share), float(n_units)), where=variance > 0)
    bounded: FloatArray = np.clip(effective, 1.0, None)
    return bounded
