"""The interval of a mean whose observations hang together in units."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import hypot, isfinite, sqrt

from convsim.schema import Interval

LEVEL = 0.95


def mean_interval(values: Sequence[float], units: Sequence[Hashable]) -> Interval | None:
    """How sure is a mean, when several observations may come from one unit?

    Args:
        values: Shape (n,).
        units: Shape (n,): the unit (user, persona) of each.

    Returns:
        The 95 % interval of the mean of all values by Student's t, its variance that of the units' sums of residuals
        (linearised); None with fewer than two units, or where the numbers are too large to be squared.

    Source:
        Cochran (1977), Sampling Techniques, section 9A.2 (a mean of clusters of unequal size, as a ratio).
    """
    from scipy.special import stdtrit

    n = len(values)
    if n < 2:
        return None
    mean = sum(values) / n
    residuals: dict[Hashable, float] = {}
    for value, unit in zip(values, units, strict=True):
        residuals[unit] = residuals.get(unit, 0.0) + value - mean
    m = len(residuals)
    if m < 2:
        return None
    error = sqrt(m / (m - 1)) * hypot(*residuals.values()) / n
    half = float(stdtrit(m - 1, (1 + LEVEL) / 2)) * error
    return (mean - half, mean + half) if isfinite(mean) and isfinite(half) else None


def difference_is_shown(
    smaller: float, larger: float, limits: tuple[Interval | None, Interval | None]
) -> bool:
    """Is the larger of two independent means larger by more than the noise of both?

    Args:
        smaller: The one mean.
        larger: The other.
        limits: The 95 % intervals of both; None for one whose noise is unknown.

    Returns:
        Whether the 95 % interval of the difference lies above 0; False where a noise is unknown.

    Source:
        Zou and Donner (2008), Construction of confidence limits about effect measures: a general approach, Statistics
        in Medicine 27, equation 5: limits of a difference from those of its parts.
    """
    own, other = limits
    if own is None or other is None:
        return False
    return larger - smaller > hypot(own[1] - smaller, larger - other[0])
