"""What each unit contributes to the error of a shift, and the shifts of all metrics with how they vary together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convsim.schema.arrays import FloatArray, IntArray
from convsim.stats.reaction_ratio import JointShifts
from convsim.stats.resampling import MIN_UNITS_A_STRATUM
from convsim.stats.units import Key, linked
from convsim_validators.counterfactual.shifts import MetricShift, lent_sd
from convsim_validators.counterfactual.two_arm import ArmSide


def influence(side: ArmSide, values: FloatArray, weight: FloatArray) -> FloatArray:
    """Return what each unit contributes to the error of a shift; shape (units,), in the metric's unit.

    A conversation's deviation from the mean of its arm in its task, weighed as the task and its arm are, summed over
    the unit's conversations: of a unit that met both arms, what they have in common cancels. The squares add up to the
    variance of the shift; for two arms of one task, to s^2 / n of either.

    Args:
        side: Conversations of both arms.
        values: The metric, shape (conversations,); NaN where it is undefined.
        weight: Shape (tasks,), adding up to 1; both arms have a value in each task whose weight is positive.
    """
    used = np.flatnonzero(~np.isnan(values) & (weight > 0)[side.task_of])
    arm, x, unit = side.arm_of[used], values[used], side.unit_of[used]
    cell = arm * len(side.tasks) + side.task_of[used]
    n_cells = 2 * len(side.tasks)
    size = np.bincount(cell, minlength=n_cells)
    share = weight[side.task_of[used]] / size[cell]
    group = _pooled(cell, unit, arm, n_cells)
    mean = np.bincount(group, share * x) / np.bincount(group, share)
    units = _distinct(group, unit, len(mean))
    small_sample = np.sqrt(units / np.maximum(units - 1, 1))
    error = np.where(arm == 1, 1, -1) * share * (x - mean[group]) * small_sample[group]
    summed: FloatArray = np.bincount(unit, error, minlength=len(side.weights)).astype(np.float64)
    return summed


def _pooled(cell: IntArray, unit: IntArray, arm: IntArray, n_cells: int) -> IntArray:
    """Number the group about whose mean each conversation varies: its cell, or the arm's small ones together.

    A task that few units met shows too little of how they vary; pooled with others of the arm, what lies between the
    tasks counts as error too.
    """
    few = _distinct(cell, unit, n_cells)[cell] < MIN_UNITS_A_STRATUM
    label = np.where(few, n_cells + arm, cell)
    sparse = _distinct(label, unit, n_cells + 2)[n_cells:] < MIN_UNITS_A_STRATUM
    alone = sparse & (np.bincount(arm[few], minlength=2) > 0)
    label = np.where(alone[arm], n_cells + arm, label)
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def _distinct(group: IntArray, unit: IntArray, n_groups: int) -> IntArray:
    """Count the units of each group; shape (groups,)."""
    n_units = int(unit.max(initial=0)) + 1
    return np.bincount(np.unique(group * n_units + unit) // n_units, minlength=n_groups).astype(np.int64)


@dataclass(frozen=True)
class Together:
    """The shifts of all judged metrics, in human standard deviations."""

    names: tuple[str, ...]
    shifts: JointShifts
    n_on_both_sides: int
    """Units, such as the users whom personas were drawn from, that stand on both sides."""

    @classmethod
    def of(cls, sides: Sequence[ArmSide], judged: Sequence[MetricShift]) -> Together:
        """Put the shifts of people and of the simulator together; ``judged`` holds at least one metric.

        A persona that was drawn from a user shares that user's habits and needs: the errors of both sides' shifts then
        hang together, and so they are added up by user over both sides. Where two names are the same by accident, what
        they share is 0 but for noise.
        """
        of_unit, n_groups, n_both = _units_of_both(sides)
        summed = np.zeros((n_groups, 2 * len(judged)))
        lent = np.zeros(2 * len(judged))
        for place, metric in enumerate(judged):
            for number, side in enumerate(sides[:2]):
                column = number * len(judged) + place
                values = side.column(metric.metric.name)
                weight = metric.standards.of_side[number].over(side)
                own = influence(side, values, weight) / metric.human_sd
                summed[:, column] = np.bincount(of_unit[number], own, minlength=n_groups)
                lent[column] = _lent(side, values, weight)
        spread = np.asarray([metric.human_sd for metric in judged])
        people, simulated = (
            np.asarray([metric.shifts[number].estimate for metric in judged]) / spread for number in (0, 1)
        )
        return cls(
            tuple(metric.metric.name for metric in judged),
            JointShifts.of(people, simulated, influence=summed, lent=lent),
            n_both,
        )


def _units_of_both(sides: Sequence[ArmSide]) -> tuple[tuple[IntArray, IntArray], int, int]:
    """Number the units of both sides, one that has the name of a user or persona of the other side with it.

    Returns:
        By side the group of each unit, how many groups there are, and how many of them have units of both sides.
    """
    keys = []
    for number, side in enumerate(sides[:2]):
        for unit, name in zip(side.unit_of, side.corpus.units, strict=True):
            own = [Key("row", f"{number} {unit}")]
            keys.append(own if name.startswith("conversation ") else [*own, Key("unit", name)])
    groups = np.split(linked(keys), [len(sides[0].unit_of)])
    people, simulated = (np.zeros(len(side.weights), np.int64) for side in sides[:2])
    people[sides[0].unit_of], simulated[sides[1].unit_of] = groups
    n_groups = int(max(people.max(), simulated.max())) + 1
    return (people, simulated), n_groups, len(np.intersect1d(people, simulated))


def _lent(side: ArmSide, values: FloatArray, weight: FloatArray) -> float:
    """Return the variance, in human ones, of arms whose values are all equal, as their intervals are lent it."""
    variance = 0.0
    for arm in (0, 1):
        rows = ~np.isnan(values) & (weight > 0)[side.task_of] & (side.arm_of == arm)
        if np.ptp(values[rows]) == 0:
            variance += lent_sd(len(np.unique(side.unit_of[rows]))) ** 2
    return variance
