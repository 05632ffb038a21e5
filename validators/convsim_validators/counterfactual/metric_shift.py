"""One metric's shift among people and among simulated shoppers, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convsim.schema import Metric
from convsim.seeds import generator
from convsim.stats.ecdf import FloatArray
from convsim.stats.multiplicity import permutation_p_value
from convsim_validators.counterfactual.arms import Arms
from convsim_validators.counterfactual.shifts import Shift, interval, shift, used_in
from convsim_validators.counterfactual.standardisation import Standards
from convsim_validators.counterfactual.two_arm import ArmSide

MIN_UNITS = 8
"""Fewer independent units in an arm, on either side, decide nothing."""
SIDES = ("real", "simulated", "saw_both")

Pair = tuple[int, int]
"""Of the control and of the treated arm."""


@dataclass(frozen=True)
class Extent:
    """How much there is of a metric on one side."""

    n: Pair
    """Conversations in which it is defined."""
    n_units: Pair
    n_undefined: Pair

    @classmethod
    def of(cls, side: ArmSide, values: FloatArray) -> Extent:
        """Count one side's conversations and units."""
        rows = [used_in(side, values, arm) for arm in (0, 1)]
        units = [len(np.unique(side.unit_of[kept])) for kept in rows]
        n = [int(kept.sum()) for kept in rows]
        return cls(
            (n[0], n[1]),
            (units[0], units[1]),
            (int((side.arm_of == 0).sum()) - n[0], int((side.arm_of == 1).sum()) - n[1]),
        )


@dataclass(frozen=True)
class MetricShift:
    """The shifts of one metric; ``shifts`` is empty where they cannot be told."""

    metric: Metric
    extents: tuple[Extent, ...]
    """Of people, then of each simulator."""
    human_sd: float
    """Within arms, over conversations, in the metric's unit; 0 where people do not vary."""
    standards: Standards
    shifts: tuple[Shift, ...]
    problem: str | None
    """Why nothing can be decided, if so."""

    @classmethod
    def of(cls, sides: Sequence[ArmSide], metric: Metric, arms: Arms, *, seed: int) -> MetricShift:
        """Measure one metric's shift on each of ``sides``, people first."""
        columns = [side.column(metric.name) for side in sides]
        extents = tuple(Extent.of(side, values) for side, values in zip(sides, columns, strict=True))
        counts = [side.count(values) for side, values in zip(sides, columns, strict=True)]
        standards = Standards.of(sides, counts)
        human_sd = _spread_within_arms(sides[0], columns[0])
        shifts: tuple[Shift, ...] = ()
        if standards.problem is None:
            shifts = tuple(
                shift(
                    side, values, standard.over(side), human_sd=human_sd,
                    noise=_noise(seed, name, metric.name, arms, side.weights.shape[1] - 1),
                )
                for name, side, values, standard in zip(SIDES, sides, columns, standards.of_side, strict=False)
            )  # fmt: skip
        problem = _too_few([s.n_units for s in shifts] or [e.n_units for e in extents], arms)
        if problem is None and human_sd == 0:
            problem = "the metric does not vary among people within an arm, so no margin can be set"
        return cls(metric, extents, human_sd, standards, shifts, problem or standards.problem)

    @property
    def judged(self) -> bool:
        """Whether the metric counts in corrections, the joint test and the agreement."""
        return self.problem is None and self.metric.no_reaction is None

    @property
    def difference(self) -> float:
        """Simulated less human shift."""
        return self.shifts[1].estimate - self.shifts[0].estimate

    @property
    def difference_deviations(self) -> FloatArray:
        """Shape (replicates,): resampled less observed difference."""
        return self.shifts[1].deviations - self.shifts[0].deviations

    @property
    def difference_p_value(self) -> float:
        """Of H0, people and simulated shoppers shift alike; at most .05 where the interval leaves out 0."""
        return permutation_p_value(abs(self.difference), np.abs(self.difference_deviations))

    @property
    def difference_interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference."""
        return interval(self.difference, self.difference_deviations)


def _spread_within_arms(side: ArmSide, values: FloatArray) -> float:
    """Pool the standard deviation of both arms; 0 where neither varies or there is nothing to vary."""
    of_arms = [values[used_in(side, values, arm)] for arm in (0, 1)]
    n = sum(map(len, of_arms))
    if n < 3 or all(len(x) == 0 or np.ptp(x) == 0 for x in of_arms):
        return 0.0
    squares = sum(float(((x - x.mean()) ** 2).sum()) for x in of_arms if len(x))
    return float(np.sqrt(squares / (n - 2)))


def _noise(seed: int, side: str, metric: str, arms: Arms, n_replicates: int) -> FloatArray:
    return np.stack(
        [
            generator(seed, "counterfactual", "lent", side, metric, arm).standard_normal(n_replicates)
            for arm in arms
        ]
    )


def _too_few(n_units: Sequence[Pair], arms: Arms) -> str | None:
    if all(min(pair) >= MIN_UNITS for pair in n_units):
        return None
    names = ("people", *["simulated shoppers"] * (len(n_units) - 1))
    said = "; ".join(
        f"{name}: {pair[0]} in {arms.control[:40]!r} and {pair[1]} in {arms.treatment[:40]!r}"
        for name, pair in zip(names, n_units, strict=True)
    )
    return f"fewer than {MIN_UNITS} independent units of an arm have this metric ({said})"
