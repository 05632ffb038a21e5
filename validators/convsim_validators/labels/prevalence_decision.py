"""From a corrected difference of shares to a verdict."""

from __future__ import annotations

from convsim.stats.decision import ALPHA, MAX_GROWTH, Decision, grown
from convsim.stats.sample_size import TWO_SIDED, growth_beyond, growth_inside
from convsim_validators.labels.correctable import Correctable
from convsim_validators.labels.correction import Correction

MIN_UNITS = 8
"""Fewer independent units on either side, or with a reference, decide nothing."""


def decide_prevalence(
    group: Correctable, correction: Correction | None, p_adjusted: float | None, margin: float
) -> Decision:
    """Decide one question; undecided where the annotator's errors are not known well enough to take them out."""
    calibrated, sides = int(group.real.calibrated.sum()), (group.real.n_units, group.simulated.n_units)
    annotator, people = group.annotator.source, group.reference.source
    if min(sides) < MIN_UNITS:
        return Decision(
            "undecided",
            f"{sides[0]} real and {sides[1]} simulated independent units are labelled by {annotator}; at least "
            f"{MIN_UNITS} a side are needed to decide anything",
        )
    if calibrated < MIN_UNITS:
        return Decision(
            "undecided",
            f"{calibrated} independent units of the real side have labels by {people} too; at least {MIN_UNITS} are "
            f"needed to know the errors of {annotator}",
            MIN_UNITS / calibrated if calibrated else None,
        )
    if correction is None:
        return Decision(
            "undecided",
            f"{people} labels are the same for every item, so that the errors of {annotator} are unknown",
        )
    if correction.adjusted is None or p_adjusted is None:
        low, high = correction.youden.interval
        growth = growth_beyond(correction.youden.estimate, (high - low) / 2 * 1.64 / 1.96, errors=TWO_SIDED)
        told = "says the opposite of people" if high < 0 else "may tell nothing"
        return Decision(
            "undecided",
            f"{annotator} {told}: the interval of Youden's J is {low:.2f} to {high:.2f}; the difference as counted, "
            f"{correction.raw.estimate:+.3f}, stands uncorrected",
            growth if growth < MAX_GROWTH else None,
        )
    return _verdict(correction, p_adjusted, margin)


def needed(group: Correctable, growth: float, *, of_calibration: bool) -> dict[str, int]:
    """Return how many conversations would settle it: of all three kinds, or ``of_calibration`` alone."""
    sizes = dict(zip(("real", "simulated", "calibration"), group.n, strict=True))
    return {
        name: grown(n, growth) for name, n in sizes.items() if name == "calibration" or not of_calibration
    }


def _verdict(correction: Correction, p_adjusted: float, margin: float) -> Decision:
    """Ask for equivalence first, then for a difference, as everywhere."""
    adjusted = correction.adjusted
    assert adjusted is not None
    low, high = adjusted.limits_90
    shown = f"the 90 % interval is {low:+.3f} to {high:+.3f}"
    wide = adjusted.difference.interval
    detectable = p_adjusted <= ALPHA and (wide[0] > 0 or wide[1] < 0)
    if -margin <= low and high <= margin:
        also = f"; a difference is detectable (adjusted p = {p_adjusted:.3g}) but small" if detectable else ""
        return Decision("aligned", f"{shown}, inside the margin of {margin:g}{also}")
    if detectable:
        return Decision(
            "different",
            f"adjusted p = {p_adjusted:.3g}, and the 95 % interval is {wide[0]:+.3f} to {wide[1]:+.3f}",
        )
    estimate, half = adjusted.difference.estimate, (high - low) / 2
    growth = min(growth_inside(estimate, half, margin), growth_beyond(abs(estimate), half, errors=TWO_SIDED))
    return Decision(
        "undecided",
        f"{shown}, past the margin of {margin:g}, and no difference is shown (adjusted p = {p_adjusted:.3g})",
        growth,
    )
