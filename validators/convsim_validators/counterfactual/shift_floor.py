"""How far the means of two random halves of one arm's people lie apart: a shift where nothing shifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from convsim.schema import NoiseFloor
from convsim.stats.ecdf import FloatArray
from convsim_validators.counterfactual.two_arm import ArmSide

if TYPE_CHECKING:
    from numpy.random import Generator

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


def noise_floor(
    side: ArmSide, values: FloatArray, weight: FloatArray, split: tuple[FloatArray, FloatArray]
) -> NoiseFloor | None:
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
    return NoiseFloor(mean=float(apart.mean()), q95=float(np.quantile(apart, 0.95)))
