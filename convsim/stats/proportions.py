"""Proportions with intervals that know whose messages they count."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from typing import TypeVar

import numpy as np

from convsim.schema import Estimate
from convsim.schema.arrays import FloatArray
from convsim.schema.record import Count, Text

Numbers = TypeVar("Numbers", float, FloatArray)


def wilson_limits(proportion: Numbers, n: Numbers, z: float) -> tuple[Numbers, Numbers]:
    """Return Wilson's (1927) score limits of proportions of ``n`` effective units, ``z`` standard errors to a side."""
    centre = (proportion + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(proportion * (1 - proportion) / n + z**2 / (4 * n**2))
    return np.minimum(centre - half, proportion), np.maximum(centre + half, proportion)


def newcombe_limits(
    first: FloatArray, n_first: FloatArray, second: FloatArray, n_second: FloatArray, z: float
) -> tuple[FloatArray, FloatArray]:
    """Return the limits of ``second - first``, proportions of so many effective units, ``z`` errors to a side.

    Source:
        Newcombe (1998), Interval estimation for the difference between independent proportions, method 10.
    """
    (low_1, high_1), (low_2, high_2) = wilson_limits(first, n_first, z), wilson_limits(second, n_second, z)
    apart = second - first
    return (
        apart - np.hypot(second - low_2, high_1 - first),
        apart + np.hypot(high_2 - second, first - low_1),
    )


def effective_share(hits: FloatArray, of: FloatArray) -> tuple[float, float]:
    """Return a proportion of counts by unit, and of how many independent observations it is as precise.

    Args:
        hits: Shape (units,).
        of: Shape (units,): what ``hits`` is counted of.
    """
    n, m = float(of.sum()), int((of > 0).sum())
    if not n:
        return 0.0, 0.0
    share = float(hits.sum()) / n
    if m < 2 or n < 2:
        return share, float(m)
    variance = m / (m - 1) * float(((hits - share * of) ** 2).sum()) / n**2
    independent = share * (1 - share) / (n - 1)
    if variance <= 0 or independent <= 0:
        return share, float(m)
    return share, n / max(1.0, variance / independent)


Z = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""
MIN_UNITS = 2


class Proportion(Estimate):
    """A proportion with its 95 % interval; undefined is null, and the reason says why."""

    hits: Count = 0
    n: Count = 0
    """What was looked at, in ``unit``."""
    n_units: Count = 0
    """Independent units (users, else personas, else conversations) that these belong to."""
    unit: Text
    reason: Text


def proportion(hits: Sequence[bool], units: Sequence[object], *, unit: str, undefined: str) -> Proportion:
    """In what proportion of ``hits`` does it happen, and how sure is that when some come from one user?

    Wilson's score interval with n / deff in the place of n: deff is the variance of the ratio estimator over units by
    that of as many independent observations, at least 1. Where that variance is 0, as where nothing was hit, the number
    of units stands for n. No interval under two units.

    Args:
        hits: Shape (n,): whether it happens in each observation.
        units: Shape (n,): the independent unit of each.
        unit: What one observation is.
        undefined: The reason where there is no observation.

    Source:
        Wilson (1927), Probable inference, the law of succession, and statistical inference; Kish (1965), Survey
        Sampling (the design effect and the variance of a ratio); Dean and Pagano (2015), Evaluating confidence interval
        methods for binomial proportions in clustered surveys (Wilson with effective n). We depart in taking the number
        of units where the variance is 0, which errs to the wide side. Coverage is shown in tests/calibration.
    """
    n = len(hits)
    if not n:
        return Proportion(unit=unit, reason=undefined)
    grouped: dict[object, list[int]] = {}
    for hit, owner in zip(hits, units, strict=True):
        counts = grouped.setdefault(owner, [0, 0])
        counts[0] += bool(hit)
        counts[1] += 1
    by_unit = np.asarray([*grouped.values()], np.float64)
    total = sum(map(bool, hits))
    estimate = total / n
    m = len(grouped)
    interval = None
    reason = f"{total} of {n} {unit}"
    if m < MIN_UNITS:
        reason += f"; no interval from {m} independent unit"
    else:
        effective = effective_share(by_unit[:, 0], by_unit[:, 1])[1]
        low, high = wilson_limits(estimate, effective, Z)
        interval = max(0.0, float(low)), min(1.0, float(high))
    return Proportion(
        estimate=estimate, interval=interval, hits=total, n=n, n_units=m, unit=unit, reason=reason
    )


def difference(simulated: Proportion, people: Proportion) -> Estimate:
    """How much larger is the simulator's proportion than people's?

    Newcombe's hybrid of the two score intervals; both sides are taken as independent. Null where a proportion is.

    Source:
        Newcombe (1998), Interval estimation for the difference between independent proportions, method 10.
    """
    if simulated.estimate is None or people.estimate is None:
        return Estimate()
    estimate = simulated.estimate - people.estimate
    if simulated.interval is None or people.interval is None:
        return Estimate(estimate=estimate)
    low = estimate - hypot(simulated.estimate - simulated.interval[0], people.interval[1] - people.estimate)
    high = estimate + hypot(simulated.interval[1] - simulated.estimate, people.estimate - people.interval[0])
    return Estimate(estimate=estimate, interval=(low, high))
