"""By how much a number of units must grow until a question would be decided."""

from __future__ import annotations

from convsim.stats.decision import MAX_GROWTH

POWER = 0.80
"""The probability with which the told number of units decides."""
ONE_SIDED_ERRORS = 1.645
"""Half of a 90 % interval, in standard errors."""
TWO_SIDED = 2.80
"""1.96 + .84 standard errors: 80 % power at 5 %."""
ONE_SIDED = 2.49
"""1.64 + .84 standard errors."""


def growth_beyond(gap: float, half_width: float, *, errors: float) -> float:
    """Return the factor at which ``gap`` is as wide as ``errors`` standard errors.

    Args:
        gap: How far the estimate lies beyond the threshold, in its direction; 0 or less never suffices.
        half_width: Half of the estimate's 90 % interval.
        errors: ``TWO_SIDED`` or ``ONE_SIDED``.
    """
    if gap <= 0:
        return MAX_GROWTH
    return min(MAX_GROWTH, (errors / 1.64 * half_width / gap) ** 2)


def growth_inside(estimate: float, half_width: float, margin: float | None) -> float:
    """Return the factor at which a 90 % interval around ``estimate`` fits into the margin on both sides."""
    room = 0.0 if margin is None else margin - abs(estimate)
    return MAX_GROWTH if room <= 0 else min(MAX_GROWTH, (half_width / room) ** 2)


def growth_to_align(half_width: float, margin: float) -> float:
    """Return the factor at which a 90 % interval of a difference fits into the margin in four of five cases if it is 0.

    The estimate then lies within 1.28 standard errors of 0 in four of five cases, and the limits 1.645 beyond it.

    Source:
        Chow, Shao and Wang (2008), Sample size calculations in clinical research, section 3.2 (equivalence).
    """
    if margin <= 0:
        return MAX_GROWTH
    return min(MAX_GROWTH, ((1.2816 / ONE_SIDED_ERRORS + 1) * half_width / margin) ** 2)
