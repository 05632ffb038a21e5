"""Do habits differ from people's, all metrics together? One test that sums up many small differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from convsim.schema import HumanBaseline
from convsim.schema.arrays import FloatArray
from convsim.stats.decision import ALPHA, Decision
from convsim.stats.multiplicity import permutation_p_value, studentised

NAME = "all_metrics"
QUESTION = "Do simulated shoppers and people differ in their habits, all metrics together?"
UNIT = "root mean square of Cliff's delta"
MIN_METRICS = 2


@dataclass(frozen=True)
class Together:
    """The differences in rank of all judged metrics as one number, and what dealing the sides anew says of it."""

    deltas: Mapping[str, float]
    """Cliff's delta, by metric."""
    statistic: FloatArray
    """Shape (1 + permutations,): the sum of squared standardised differences in rank, as observed first."""
    baseline: HumanBaseline

    @classmethod
    def of(
        cls, deltas: Mapping[str, float], dealt: Sequence[FloatArray], human: Sequence[FloatArray]
    ) -> Together:
        """Add up the metrics.

        Each is standardised by its own mean and spread over the permutations, so that none counts for its unit.

        Args:
            deltas: Cliff's delta, by metric.
            dealt: The same in standard errors, as observed and under the same permutations, a metric each.
            human: Cliff's delta of two groups of people, a metric each; shape (replicates,).
        """
        total = (studentised(np.stack(dealt)) ** 2).sum(axis=0)
        apart = _root_mean_square(np.stack(human))
        return cls(
            deltas,
            total,
            HumanBaseline(mean=float(apart.mean()), q95=float(np.quantile(apart, 0.95))),
        )

    @property
    def estimate(self) -> float:
        """The root mean square of Cliff's delta over metrics: 0 if no ranks differ, 1 if nothing overlaps."""
        return float(_root_mean_square(np.asarray([*self.deltas.values()])))

    @property
    def p_value(self) -> float:
        """Of this test alone."""
        return permutation_p_value(float(self.statistic[0]), self.statistic[1:])

    def decide(self, p_adjusted: float | None) -> Decision:
        """Decide; never ``aligned``, since many small differences may add up to little and matter all the same."""
        furthest = sorted(self.deltas, key=lambda name: -abs(self.deltas[name]))[:3]
        named = ", ".join(f"{name} {self.deltas[name]:+.2f}" for name in furthest)
        largest = f"the largest Cliff's deltas: {named}"
        if p_adjusted is not None and p_adjusted <= ALPHA:
            return Decision("different", f"together, {len(self.deltas)} metrics differ; {largest}")
        return Decision("undecided", f"together, {len(self.deltas)} metrics show no difference; {largest}")


def _root_mean_square(values: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt((values**2).mean(axis=0)))
