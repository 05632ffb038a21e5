"""From scores of a shopper and of a baseline to a verdict, and how many more people would give one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from convsim.schema import Verdict
from convsim.stats.decision import ALPHA, EQUIVALENCE_LEVEL, MIN_UNITS, grown
from convsim.stats.forecasts import CalibrationError, UnitMean
from convsim.stats.sample_size import growth_beyond, growth_to_align

UNREACHABLE = 100.0
"""A growth from which on it is said that more people would hardly decide."""
ONE_SIDED = 1 - ALPHA


@dataclass(frozen=True)
class Judged:
    """A verdict with its reason and p-values."""

    verdict: Verdict
    reason: str
    p_better: float | None = None
    p_different: float | None = None
    more_units: int | None = None


def too_few(n_units: int, what: str) -> Judged | None:
    """Return that nothing is decided where there are fewer than eight units; None where there are enough."""
    if n_units >= MIN_UNITS:
        return None
    return Judged(
        "undecided",
        f"{n_units} people with {what} are too few: {MIN_UNITS} are needed to tell anything",
        more_units=MIN_UNITS - n_units,
    )


def judge_skill(gains: UnitMean, *, against: str) -> Judged:
    """Judge whether a shopper is better than a baseline, by its gain in accuracy at each place.

    H0 of ``aligned``: the mean gain is at most 0; of ``different``: at least 0. One-sided t-tests over units.
    """
    better, worse = gains.p_above(), gains.p_below()
    said = f"{abs(gains.estimate):.3f} {'above' if gains.estimate >= 0 else 'below'} {against}"
    if better <= ALPHA:
        return Judged("aligned", f"better than {against}: {said}", better, worse)
    if worse <= ALPHA:
        return Judged("different", f"worse than {against}: {said}", better, worse)
    growth = growth_beyond(abs(gains.estimate), gains.half_width(EQUIVALENCE_LEVEL))
    more, told = _more(gains.n_units, growth)
    return Judged(
        "undecided",
        f"neither better nor worse than {against} beyond chance: {said}{told}",
        better,
        worse,
        more,
    )


def judge_forecasts(excess: UnitMean, error: CalibrationError, *, margin: float, against: str) -> Judged:
    """Judge whether a shopper's decisions follow people's.

    ``aligned``: its Brier score is better than the baseline's, and its calibration error is within the margin, both
    shown at 5 %. ``different``: it is worse than the baseline, or miscalibrated beyond the margin; of these two the
    smaller p counts twice (Bonferroni).

    Args:
        excess: The shopper's Brier score less the baseline's.
        error: How far its probabilities are from what happens.
        margin: Which calibration error is still none.
        against: The baseline, in words.
    """
    better, worse, beyond = excess.p_below(), excess.p_above(), error.p_beyond(margin)
    different = min(1.0, 2 * min(worse, beyond))
    upper = error.upper(ONE_SIDED)
    gap = f"Brier score {abs(excess.estimate):.4f} {'above' if excess.estimate >= 0 else 'below'} {against}"
    calibration = f"calibration error {error.estimate:.3f}, at most {upper:.3f}"
    is_better, is_calibrated = better <= ALPHA, upper <= margin
    if is_better and is_calibrated:
        reason = (
            f"better than {against} and calibrated: {gap}; {calibration}, within the margin of {margin:g}"
        )
        return Judged("aligned", reason, better, different)
    if different <= ALPHA:
        lower = max(0.0, 2 * error.estimate - upper)
        why = (
            f"worse than {against}: {gap}"
            if worse <= beyond
            else f"miscalibrated: calibration error {error.estimate:.3f}, at least {lower:.3f}, margin {margin:g}"
        )
        return Judged("different", why, better, different)
    lacking = []
    if not is_better:
        lacking.append(f"not shown to be better than {against} ({gap})")
    if not is_calibrated:
        lacking.append(f"not shown to be calibrated ({calibration}, margin {margin:g})")
    known = "; its calibration error is within the margin" if is_calibrated else ""
    more, told = _more(excess.n_units, _growth(excess, error, margin=margin, is_better=is_better))
    return Judged("undecided", f"{' and '.join(lacking)}{known}{told}", better, different, more)


def _growth(excess: UnitMean, error: CalibrationError, *, margin: float, is_better: bool) -> float:
    """Return by what factor people must grow until it is shown to be alike, or different, whichever comes first."""
    half, above = excess.half_width(EQUIVALENCE_LEVEL), error.upper(ONE_SIDED) - error.estimate
    to_differ = min(growth_beyond(excess.estimate, half), growth_beyond(error.estimate - margin, above))
    to_align = max(
        1.0 if is_better else growth_beyond(-excess.estimate, half),
        growth_to_align(above, margin - error.estimate),
    )
    return min(to_differ, to_align)


def _more(n_units: int, growth: float) -> tuple[int | None, str]:
    if not math.isfinite(growth) or growth > UNREACHABLE:
        return None, "; no number of people that one could have is likely to decide"
    more = grown(n_units, growth) - n_units
    return more, f"; about {people(more)} would decide"


def people(more: int) -> str:
    """Write how many more people there would have to be."""
    return f"{more:,} more {'person' if more == 1 else 'people'}"
