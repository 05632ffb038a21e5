"""By how much a number of units must grow until a question would be decided."""

from __future__ import annotations

from statistics import NormalDist

from convsim.stats.decision import MAX_GROWTH

POWER = 0.80
"""The probability with which the told number of units decides."""
ONE_SIDED_ERRORS = 1.645
"""Half of a 90 % interval, in standard errors."""


def one_sided_errors(alpha: float) -> float:
    """Return half of the interval that is two one-sided tests at ``alpha``, in standard errors: 1.645 at .05."""
    return round(NormalDist().inv_cdf(1 - alpha), 3)


TWO_SIDED_ERRORS = 1.960
"""Half of a 95 % interval, in standard errors."""
ONE_SIDED = 2.49
"""1.64 + .84 standard errors: 80 % power at 5 %, one-sided."""


def growth_beyond(gap: float, half_width: float) -> float:
    """Return the factor at which a one-sided test shows a ``gap`` in four of five cases.

    Args:
        gap: How far the true value lies beyond the threshold, in its direction; 0 or less never suffices.
        half_width: Half of the estimate's 90 % interval.
    """
    if gap <= 0:
        return MAX_GROWTH
    return min(MAX_GROWTH, (ONE_SIDED / ONE_SIDED_ERRORS * half_width / gap) ** 2)


def growth_to_align(half_width: float, margin: float, *, errors: float = ONE_SIDED_ERRORS) -> float:
    """Return the factor at which the interval of a difference fits into the margin in four of five cases if it is 0.

    The estimate then lies within 1.28 standard errors of 0 in four of five cases, and the limits ``errors`` beyond it.

    Args:
        half_width: Half of the interval.
        margin: What it must fit into on either side of 0.
        errors: The half-width in standard errors: that of a 90 % interval, or ``TWO_SIDED_ERRORS`` for one of 95 %.

    Source:
        Chow, Shao and Wang (2008), Sample size calculations in clinical research, section 3.2 (equivalence).
    """
    if margin <= 0:
        return MAX_GROWTH
    return min(MAX_GROWTH, ((1.2816 / errors + 1) * half_width / margin) ** 2)
