"""One side's shift of one metric between two arms, with what resampling whole units says of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from convsim.stats.ecdf import FloatArray
from convsim.stats.multiplicity import permutation_p_value
from convsim_validators.counterfactual.two_arm import ArmSide

if TYPE_CHECKING:
    from convsim.stats.discriminator import BoolArray

LEVEL = 0.95
RULE_OF_THREE = 12.0
"""Nothing else in n draws leaves room for a share of 3/n (the rule of three), of values two standard deviations away:
a variance of 3/n x 2^2 human variances."""


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
    def p_value(self) -> float:
        """Of H0, no shift; at most .05 where the interval leaves out 0."""
        return permutation_p_value(abs(self.estimate), np.abs(self.deviations))


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
            lent = human_sd * np.sqrt(min(1.0, RULE_OF_THREE / units) / units)
            deviations = deviations + sign * lent * drawn
    return Shift(
        float(shifts[0]),
        (float(means[0, 0]), float(means[1, 0])),
        deviations * stretch(min(n_units), n_cells=int((weight > 0).sum())),
        (int(members[0].sum()), int(members[1].sum())),
        (n_units[0], n_units[1]),
    )


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
