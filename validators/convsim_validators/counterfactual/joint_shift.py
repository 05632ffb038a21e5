"""Is any metric's simulated shift another than people's? All metrics asked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convsim.stats.multiplicity import permutation_p_value
from convsim_validators.counterfactual.metric_shift import MetricShift


@dataclass(frozen=True)
class Joint:
    """The largest |t| over metrics, and how often chance alone gives one as large."""

    t_values: dict[str, float]
    """Difference of the shifts in its standard errors, by metric."""
    largest: str
    p_value: float

    @property
    def statistic(self) -> float:
        """The largest |t|."""
        return abs(self.t_values[self.largest])


def joint_test(shifts: Sequence[MetricShift]) -> Joint | None:
    """Do simulated shoppers shift otherwise than people in at least one of these metrics?

    H0: the simulated shift equals the human one in every metric. Rejecting it says that some metric differs, most
    likely the one named; not rejecting it says nothing.

    Whole units of both sides are drawn anew, with all their metrics, so that the null keeps the metrics' correlation,
    whatever their number; deviations are stretched for small samples as each metric's interval is.

    Args:
        shifts: Metrics that are judged.

    Returns:
        None where no metric's difference has an error at all.

    Source:
        Westfall and Young (1993), Resampling-based multiple testing: the max-T null, here by the cluster bootstrap
        about the estimate in place of permutations, since nothing is exchangeable between people and a simulator.
    """
    errors = {s.metric.name: float(s.difference_deviations.std()) for s in shifts}
    told = [s for s in shifts if errors[s.metric.name] > 0]
    if not told:
        return None
    t_values = {s.metric.name: s.difference / errors[s.metric.name] for s in told}
    largest = max(t_values, key=lambda name: abs(t_values[name]))
    under_null = np.max([np.abs(s.difference_deviations) / errors[s.metric.name] for s in told], axis=0)
    return Joint(t_values, largest, permutation_p_value(abs(t_values[largest]), under_null))
