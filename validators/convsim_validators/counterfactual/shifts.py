"""One metric's shift between two arms, of people and of simulated shoppers, with its resamples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema import HumanBaseline, Metric
from convsim.schema.arrays import FloatArray
from convsim.seeds import generator
from convsim.stats.multiplicity import permutation_p_value
from convsim_validators.counterfactual.two_arm import Arms, ArmSide, Standards

if TYPE_CHECKING:
    from numpy.random import Generator

    from convsim.schema.arrays import BoolArray

N_SPLITS = 999
CONTROL = 0


def halves(side: ArmSide, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """Split the control arm's units at random; two arrays of shape (units, splits), 1 for the units of a half."""
    members = np.unique(side.unit_of[side.arm_of == CONTROL])
    first = np.zeros((len(side.weights), N_SPLITS))
    in_first = np.arange(len(members)) < len(members) // 2
    first[members] = rng.permuted(np.tile(in_first.astype(np.float64), (N_SPLITS, 1)), axis=1).T
    second = np.zeros_like(first)
    second[members] = 1 - first[members]
    return first, second


def human_baseline(
    side: ArmSide, values: FloatArray, weight: FloatArray, split: tuple[FloatArray, FloatArray]
) -> HumanBaseline | None:
    """Return the mean and the 95 % point of the distance of two halves' means, in the metric's unit.

    Halves are disjoint, and each is half as large as the control arm, so this is wider than what two full arms of
    the same people would show.

    Args:
        side: The human side.
        values: The metric, shape (conversations,); NaN where it is undefined.
        weight: Shape (tasks,): the standard. Tasks that a half lacks are left out of both.
        split: As ``halves`` makes them.
    """
    sums, counts = zip(*(side.cells(values, half) for half in split), strict=True)
    means = [
        np.divide(s[CONTROL], c[CONTROL], out=np.zeros_like(s[CONTROL]), where=c[CONTROL] > 0)
        for s, c in zip(sums, counts, strict=True)
    ]
    standard = np.where((counts[0][CONTROL] > 0) & (counts[1][CONTROL] > 0), weight[:, None], 0.0)
    total = standard.sum(axis=0)
    kept = total > 0
    if not kept.any():
        return None
    apart = np.abs((standard * (means[0] - means[1])).sum(axis=0))[kept] / total[kept]
    return HumanBaseline(mean=float(apart.mean()), q95=float(np.quantile(apart, 0.95)))


LEVEL = 0.95
RULE_OF_THREE = 12.0
"""Nothing else in n draws leaves room for a proportion of 3/n (the rule of three), of values two standard deviations
away: a variance of 3/n x 2^2 human variances."""


@dataclass(frozen=True)
class Shift:
    """Treated minus control; pairs are (control, treated)."""

    estimate: float
    means: tuple[float, float]
    deviations: FloatArray
    """Shape (replicates,): resampled less observed shift, stretched for small samples."""
    n: tuple[int, int]
    """Conversations that count: defined, and in a task that the standard has."""
    n_units: tuple[int, int]

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval, symmetric about the estimate."""
        return interval(self.estimate, self.deviations)

    @property
    def statistics(self) -> FloatArray:
        """Shape (1 + replicates,): how far the shift lies from 0, then how far resamples lie from the shift."""
        return np.abs([self.estimate, *self.deviations])

    @property
    def p_value(self) -> float:
        """Of H0, no shift; at most .05 where the interval leaves out 0."""
        return permutation_p_value(self.statistics[0], self.statistics[1:])


def interval(estimate: float, deviations: FloatArray) -> tuple[float, float]:
    """Return the symmetric 95 % interval that deviations of resamples give."""
    half = float(np.quantile(np.abs(deviations), LEVEL))
    return estimate - half, estimate + half


def shift(
    side: ArmSide, values: FloatArray, weight: FloatArray, *, human_sd: float, noise: FloatArray
) -> Shift:
    """How far does a metric's mean move from the control arm to the treated arm?

    H0: the arms' means, averaged over the same tasks, are equal. Not rejecting it says nothing; whether a shift is
    negligible is a question of its own.

    Whole units are drawn with replacement. Deviations from the observed shift are stretched by t / z x
    sqrt(n / (n - k)), n the units of the smaller arm and k its tasks. An arm whose values are all equal shows no
    spread of its own: it is lent normal noise of the variance that such a sample leaves possible, at most the human
    one.

    Args:
        side: Conversations of both arms, with the draws.
        values: The metric, shape (conversations,); NaN where it is undefined. Both arms have a value in each task
            whose weight is positive.
        weight: Shape (tasks,), adding up to 1.
        human_sd: The human standard deviation within arms, in the metric's unit.
        noise: Standard normal draws to lend from, shape (arms, replicates).

    Returns:
        The shift, in the metric's unit. A resample that leaves an arm without a task averages over the others; one
        that leaves an arm without any counts as far off as the farthest.

    Source:
        Hesterberg (2015), What teachers should know about the bootstrap, The American Statistician 69 (expanded
        intervals); Hall (1988), On symmetric bootstrap confidence intervals, JRSS B 50. We stretch deviations and not
        quantile levels, so that the p-value is the interval's dual; tests/calibration shows coverage.
    """
    used = np.where((weight > 0)[side.task_of], values, np.nan)
    means = _arm_means(*side.cells(used, side.weights), weight)
    shifts = means[1] - means[0]
    deviations = shifts[1:] - shifts[0]
    lost = np.isnan(deviations)
    deviations[lost] = np.abs(deviations[~lost]).max(initial=0.0)
    members = [used_in(side, used, arm) for arm in (0, 1)]
    n_units = tuple(len(np.unique(side.unit_of[rows])) for rows in members)
    for sign, rows, units, drawn in zip((-1, 1), members, n_units, noise, strict=True):
        if np.ptp(used[rows]) == 0:
            deviations = deviations + sign * human_sd * lent_sd(units) * drawn
    return Shift(
        float(shifts[0]),
        (float(means[0, 0]), float(means[1, 0])),
        deviations * stretch(min(n_units), n_cells=int((weight > 0).sum())),
        (int(members[0].sum()), int(members[1].sum())),
        (n_units[0], n_units[1]),
    )


def lent_sd(n_units: int) -> float:
    """Return the error, in human standard deviations, that the mean of an arm without any spread may still have."""
    return float(np.sqrt(min(1.0, RULE_OF_THREE / n_units) / n_units))


def used_in(side: ArmSide, values: FloatArray, arm: int) -> BoolArray:
    """Tell which conversations of an arm have a value; shape (conversations,)."""
    return np.asarray((side.arm_of == arm) & ~np.isnan(values))


@cache
def stretch(n_units: int, *, n_cells: int) -> float:
    """How much wider than a plain bootstrap an interval of ``n_units`` in ``n_cells`` must be."""
    from scipy.stats import norm, t

    free = max(n_units - n_cells, 1)
    return float(t.ppf((1 + LEVEL) / 2, free) / norm.ppf((1 + LEVEL) / 2) * np.sqrt(n_units / free))


def _arm_means(sums: FloatArray, counts: FloatArray, weight: FloatArray) -> FloatArray:
    """Average cells over tasks; shape (arms, replicates), NaN where a replicate has no task in both arms."""
    shared = (counts > 0).all(axis=0) & (weight > 0)[:, None]
    standard = np.where(shared, weight[:, None], 0.0)
    total = standard.sum(axis=0)
    cell_means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    means: FloatArray = np.divide(
        (cell_means * standard).sum(axis=1), total, out=np.full(sums.shape[::2], np.nan), where=total > 0
    )
    return means


MIN_UNITS = 8
"""Fewer resampling units in an arm, on either side, decide nothing."""
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
            problem = "this metric does not vary among people within an arm, so no margin can be set"
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
    def difference_statistics(self) -> FloatArray:
        """Shape (1 + replicates,): as those of a shift, of the difference."""
        return np.abs([self.difference, *self.difference_deviations])

    @property
    def difference_p_value(self) -> float:
        """Of H0, people and simulated shoppers shift alike; at most .05 where the interval leaves out 0."""
        return permutation_p_value(self.difference_statistics[0], self.difference_statistics[1:])

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
    counts = "; ".join(
        f"{name}: {pair[0]} in {arms.control[:40]!r} and {pair[1]} in {arms.treatment[:40]!r}"
        for name, pair in zip(names, n_units, strict=True)
    )
    return f"fewer than {MIN_UNITS} users or personas of an arm have this metric ({counts})"
