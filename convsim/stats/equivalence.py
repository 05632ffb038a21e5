"""Is one metric alike on both sides? Limits for location, spread and shape, each against a margin of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
from pydantic import JsonValue

from convsim.schema import Needs
from convsim.schema.arrays import FloatArray, IntArray
from convsim.stats.contrasts import Contrast, centred
from convsim.stats.proportions import wilson_limits
from convsim.stats.sample_size import POWER

MOST_SIMULATED = 10
"""For each person: beyond that, more simulated conversations make hardly anything more precise."""
MOST_PEOPLE = 1_000_000


@dataclass(frozen=True)
class Margins:
    """How far two populations may lie apart and still count as alike; all three have to hold."""

    delta: float = 0.147
    """Of Cliff's delta: the upper end of "negligible" (Romano et al. 2006)."""
    spread: float = 0.25
    """Of the spread score: between normal distributions, 1.44 times the standard deviation."""
    ks: float = 0.20
    """Of the Kolmogorov-Smirnov distance: what neither location nor spread sees."""


@dataclass(frozen=True)
class Precision:
    """Variances of delta and spread at equality, by side, at the sizes seen; each of shape (2,)."""

    real: FloatArray
    simulated: FloatArray
    n: tuple[int, int]
    """Conversations of people and of the simulator."""

    @classmethod
    def of(cls, contrast: Contrast, strata: tuple[IntArray, IntArray], n: tuple[int, int]) -> Precision:
        """Read them off the influence of units."""
        real, simulated = (
            (centred(side, stratum) ** 2).sum(axis=0)
            for side, stratum in zip(contrast.at_equality, strata, strict=True)
        )
        return cls(real, simulated, n)

    def at(self, n_real: int, n_simulated: int) -> FloatArray:
        """Return the variances with other numbers of conversations; shape (2,)."""
        return np.asarray(self.real * self.n[0] / n_real + self.simulated * self.n[1] / n_simulated)


def normal_quantile(probability: float) -> float:
    """Return a quantile of the standard normal distribution."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(probability)


def power_at_equality(
    variances: FloatArray, margins: Margins, *, z: float, two_valued: bool, least: float = 0.0
) -> float:
    """With what probability is a metric found to be alike if nothing differs?

    Location and spread are uncorrelated then.

    Args:
        variances: Shape (2,): of delta and spread.
        margins: What the limits have to lie inside.
        z: Standard errors from an estimate to its limit.
        two_valued: Whether the metric has but two values, and so no spread of its own.
        least: What the limit of location lies beyond its estimate at least (``rare_half_width``).
    """
    from statistics import NormalDist

    power = 1.0
    for variance, margin, beyond in zip(
        variances, (margins.delta, margins.spread), (least, 0.0), strict=True
    ):
        half = max(z * sqrt(variance), beyond)
        if variance > 0:
            power *= max(0.0, 2 * NormalDist().cdf((margin - half) / sqrt(variance)) - 1)
        elif half > margin:
            return 0.0
        if two_valued:
            break
    return power


def needed(power: Callable[[int, int], float], n: tuple[int, int], *, target: float = POWER) -> Needs | None:
    """How much more data would decide, and of which side? More simulated conversations wherever they suffice.

    Args:
        power: Of so many conversations of people and so many simulated ones; it grows with both.
        n: Conversations seen.
        target: The power asked for.

    Returns:
        None where what is there suffices, or nothing would.
    """
    people, simulated = n
    if power(people, simulated) >= target:
        return None
    most = max(simulated, MOST_SIMULATED * people)
    if power(people, most) >= target:
        return Needs(
            side="simulated", more=_least(lambda k: power(people, k), simulated, most, target) - simulated
        )

    def with_more(k: int) -> float:
        return power(k, max(simulated, MOST_SIMULATED * k))

    if with_more(MOST_PEOPLE) < target:
        return None
    return Needs(side="people", more=_least(with_more, people, MOST_PEOPLE, target) - people)


def stated(needs: Needs | None, n: tuple[int, int]) -> dict[str, JsonValue]:
    """Return what decides as details: what is lacking, and how many conversations that makes on each side.

    Args:
        needs: What is lacking; None where nothing is, or is known to help.
        n: Conversations seen.
    """
    if needs is None:
        return {}
    people, simulated = n
    if needs.side == "people":
        people += needs.more
        simulated = max(simulated, MOST_SIMULATED * people)
    else:
        simulated += needs.more
    return {"needs": needs.model_dump(), "n_to_decide": {"real": people, "simulated": simulated}}


def normal_power(margin: float, standard_error: float, *, z: float) -> float:
    """With what probability does the upper limit of a difference that is 0 lie inside the margin?

    Args:
        margin: What it must not pass.
        standard_error: Of the estimate, which is normal.
        z: Standard errors from an estimate to its limit.
    """
    from statistics import NormalDist

    return NormalDist().cdf(margin / standard_error - z) if standard_error > 0 else float(margin >= 0)


def _least(power: Callable[[int], float], too_few: int, enough: int, target: float) -> int:
    """Return the least number at which the target is reached, rounded up to two figures beyond ``too_few``."""
    low, high = too_few, enough
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= target else (middle, high)
    more = high - too_few
    step = int(10 ** max(len(str(more)) - 2, 0))
    return too_few + -(-more // step) * step


def rare_half_width(largest_atom: float, n_units: tuple[float, float], z: float) -> float:
    """How far does the limit of location reach if one value is as common on both sides, and so others are rare?

    Newcombe's, as in ``location_limit``; 0 where no value holds half of the conversations.
    """
    if largest_atom < 1 / 2:
        return 0.0
    rest = 1 - largest_atom
    (low_real, high_real), (low_simulated, high_simulated) = (wilson_limits(rest, n, z) for n in n_units)
    return max(hypot(high_simulated - rest, rest - low_real), hypot(rest - low_simulated, high_real - rest))


def location_limit(
    contrast: Contrast,
    error: float,
    *,
    largest_atoms: tuple[float, float],
    n_units: tuple[float, float],
    z: float,
) -> float:
    """Return the upper limit of the absolute Cliff's delta.

    The normal limit; where one value holds half of the values or more, also Newcombe's hybrid score limit for the
    difference in how often it is *another* value: a rare event that nobody was seen to do has no variance.

    Args:
        contrast: Of the metric.
        error: Standard error of its delta.
        largest_atoms: Each side's proportion of the most common value; below .5 on average there is none.
        n_units: Effective number of units of each side.
        z: Standard errors to one side.

    Source:
        Newcombe (1998), Interval estimation for the difference between independent proportions, method 10.
    """
    delta = abs(float(contrast.estimates[0]))
    limit = delta + z * error
    if sum(largest_atoms) / 2 < 1 / 2:
        return min(1.0, limit)
    real, simulated = (1 - atom for atom in largest_atoms)
    gap = simulated - real
    low_real, high_real = wilson_limits(real, n_units[0], z)
    low_simulated, high_simulated = wilson_limits(simulated, n_units[1], z)
    upwards = gap + hypot(high_simulated - simulated, real - low_real)
    downwards = -gap + hypot(simulated - low_simulated, high_real - real)
    return min(1.0, max(limit, upwards, downwards))
