"""By how much does one mixture lie nearer to people than another, both held against the same people?"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from convsim.schema import Interval
from convsim.schema.arrays import FloatArray
from convsim.stats.contrasts import Contrasts, sum_of_products
from convsim.stats.mixing import joint_of, scales


@dataclass(frozen=True)
class Gain:
    """What the joint distance lost from one mixture to another, with an interval by units of both sides."""

    estimate: float
    """The distance before less the distance after; above 0 if nearer."""
    interval: Interval

    @property
    def is_shown(self) -> bool:
        """Whether the interval lies above 0."""
        return self.interval[0] > 0


def joint_gain(before: Contrasts, after: Contrasts, of_metrics: FloatArray, *, z: float) -> Gain:
    """Does ``after`` lie nearer to people than ``before``?

    H0: their populations lie equally far. Both share people, and may share simulated units: what these have in common
    cancels. The weights of the mixtures are taken as given, so they must not have been learned from these people or
    these conversations. The difference of the debiased squares d'Wd is a quadratic form of both contrasts together,
    whose variance is 4 m'MSMm + 2 tr (MS)². On the scale of distances the interval is what becomes of the distance
    before where its square falls by so much: it contains 0 exactly if that of the squares does.

    Args:
        before: The one mixture against people.
        after: The other one, of the same units in the same order.
        of_metrics: Shape (metrics,): the weight of each metric in the distance, adding up to 1.
        z: Standard errors to each side.

    Source:
        The variance of a quadratic form of normal variables, as in ``Joint``; coverage in tests/calibration.
    """
    joints = [joint_of(each, of_metrics) for each in (before, after)]
    weights = joints[0].weights
    estimates = np.concatenate([joint.estimates for joint in joints])
    scale = np.tile(scales(len(of_metrics)), 2)
    sides = [
        np.column_stack([first, second]) * scale
        for first, second in zip(before.influence, after.influence, strict=True)
    ]
    covariance = sum_of_products(sides[0]) + sum_of_products(sides[1])
    form = np.concatenate([weights, -weights])
    moved = form[:, None] * covariance
    noise = 2 * float((moved * moved.T).sum())
    slope = form * estimates
    # The estimated mean holds its own variance, which adds twice the noise to the first term.
    variance = max(4 * float(slope @ covariance @ slope) - noise, noise)
    gained = float(estimates**2 @ form) - float(np.trace(moved))
    low, high = (_fall(joints[0].square, gained + sign * z * sqrt(variance)) for sign in (-1, 1))
    return Gain(joints[0].distance - joints[1].distance, (low, high))


def _fall(square: float, by: float) -> float:
    """Return what a distance loses whose square falls by so much."""
    before = max(0.0, square)
    return sqrt(before) - sqrt(max(0.0, before - by))
