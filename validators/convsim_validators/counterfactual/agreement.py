"""Do simulated shoppers shift in the direction in which people shift?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from convsim.stats.ecdf import FloatArray
from convsim_validators.counterfactual.metric_shift import MetricShift

CHANCE = 0.5
MIN_METRICS = 3


@dataclass(frozen=True)
class Agreement:
    """The share of established human shifts whose simulated shift has the same sign."""

    estimate: float
    interval: tuple[float, float]

    @property
    def verdict(self) -> Literal["reacts_as_people", "reacts_wrong_way", "undecided"]:
        """What the interval says of chance."""
        if self.interval[0] > CHANCE:
            return "reacts_as_people"
        return "reacts_wrong_way" if self.interval[1] < CHANCE else "undecided"


def directional_agreement(established: Sequence[MetricShift]) -> Agreement:
    """In what share of the metrics in which people shift do simulated shoppers shift the same way?

    H0: each simulated shift is as likely to go either way, a share of .5. A simulated shift of exactly 0 counts half.
    Whole units of both sides are drawn anew; the set of metrics is held fixed, so the interval speaks of these
    metrics, not of others that might have been measured. Says nothing of how far they shift.

    Args:
        established: The metrics whose human shift is established, at least one.
    """
    observed = _same_sign(
        np.asarray([[s.shifts[0].estimate] for s in established]),
        np.asarray([[s.shifts[1].estimate] for s in established]),
    )
    drawn = _same_sign(
        np.asarray([s.shifts[0].estimate + s.shifts[0].deviations for s in established]),
        np.asarray([s.shifts[1].estimate + s.shifts[1].deviations for s in established]),
    )
    low, high = np.quantile(drawn, [0.025, 0.975], method="inverted_cdf")
    return Agreement(float(observed[0]), (float(low), float(high)))


def _same_sign(human: FloatArray, simulated: FloatArray) -> FloatArray:
    shares: FloatArray = ((1 + np.sign(human) * np.sign(simulated)) / 2).mean(axis=0)
    return shares
