"""From two shifts to a verdict, or to how much more data would decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from convsim.stats.decision import ALPHA, MAX_GROWTH
from convsim.stats.sample_size import TWO_SIDED_ERRORS, growth_to_align

Reaction = Literal[
    "reacts_as_people", "does_not_react", "under_reacts", "over_reacts", "reacts_wrong_way", "undecided"
]
SAME = 0.5
"""Proportion of an established human shift up to which the difference of the shifts counts as none."""


@dataclass(frozen=True)
class ShiftEvidence:
    """Estimates with the half-widths of their 95 % intervals, in the metric's unit."""

    human: float
    human_half: float
    simulated: float
    simulated_half: float
    difference_half: float
    p_value: float
    """Of the human shift, adjusted for the number of metrics."""
    margin: float
    difference_p: float
    """Of the difference of the shifts, adjusted for the number of metrics."""

    @property
    def difference(self) -> float:
        """Simulated less human shift."""
        return self.simulated - self.human

    @property
    def established(self) -> bool:
        """Whether people shift at all."""
        return self.p_value <= ALPHA


@dataclass(frozen=True)
class ShiftDecision:
    """A verdict, why, and (where undecided) by what factor both sides must grow to be shown alike."""

    verdict: Reaction
    reason: str
    growth: float | None = None


def decide_shift(evidence: ShiftEvidence) -> ShiftDecision:
    """Apply the rule, and give the reason."""
    verdict = reaction(evidence)
    e = evidence
    simulated = _said(e.simulated, e.simulated_half)
    difference = f"the difference is {_said(e.difference, e.difference_half)}"
    people = f"people shift by {e.human:.3g} (adjusted p = {e.p_value:.2g})"
    if not e.established:
        people = f"no shift of people is established ({_said(e.human, e.human_half)}, adjusted p = {e.p_value:.2g})"
    within = f"within the margin of {e.margin:.3g}"
    if e.established:
        within = f"within half of people's shift, {SAME * abs(e.human):.3g}"
    both = f"{people}, simulated shoppers by {simulated}"
    reasons = {
        "reacts_wrong_way": f"{people}, simulated shoppers the other way: {simulated}",
        "reacts_as_people": f"{people}; {difference}, {within}",
        "over_reacts": f"{both}; {difference}, so it is not zero",
        "under_reacts": f"{both}, which is less; {difference}",
        "does_not_react": f"{both}, which may be zero; {difference}, so it is not zero",
        "undecided": f"{both}; {difference}, which may be zero but is not shown to be {within}",
    }
    if verdict == "undecided" and not e.established and _excludes_zero(e.difference, e.difference_half):
        why = "but simulated shoppers by themselves are not shown to shift"
        if _excludes_zero(e.simulated, e.simulated_half):
            why = "but which way people shift is not known, and it seems to be the other way"
        reasons["undecided"] = f"{both}; {difference}, not {within}, {why}"
    if verdict == "undecided" and uncorrected(e) != "undecided":
        reasons["undecided"] = (
            f"{both}; {difference}: in a single metric this would be “{uncorrected(e).replace('_', ' ')}”, but among "
            f"so many metrics it may be chance (adjusted p of the difference = {e.difference_p:.2g})"
        )
    growth = growth_to_show_alike(evidence) if verdict == "undecided" else MAX_GROWTH
    return ShiftDecision(verdict, reasons[verdict], growth if growth < MAX_GROWTH else None)


def reaction(e: ShiftEvidence) -> Reaction:
    """Apply the rule of the suite to evidence, and give no failing verdict that the number of metrics explains."""
    verdict = uncorrected(e)
    failing = verdict not in ("reacts_as_people", "undecided")
    return "undecided" if failing and e.difference_p > ALPHA else verdict


def uncorrected(e: ShiftEvidence) -> Reaction:
    """Apply the rule of the suite to one metric as if it were the only one.

    Where no human shift is established: as people if the difference of the shifts lies inside the margin, too strong
    if neither the simulated shift nor the difference can be 0 and people's does not seem to go the other way. Where one
    is: the wrong way if the simulated shift lies
    beyond 0 on the other side; as people if the difference lies inside half of the human shift; and if the difference
    cannot be 0, too strong if the simulated shift is larger and goes the same way, absent if it can be 0, else too
    weak.
    """
    reacts = _excludes_zero(e.simulated, e.simulated_half)
    differs = _excludes_zero(e.difference, e.difference_half)
    within = abs(e.difference) + e.difference_half
    same_way = e.simulated * e.human > 0
    if not e.established:
        if within <= e.margin:
            return "reacts_as_people"
        return "over_reacts" if reacts and differs and not _may_oppose(e) else "undecided"
    if reacts and not same_way:
        return "reacts_wrong_way"
    if within <= SAME * abs(e.human):
        return "reacts_as_people"
    if not differs:
        return "undecided"
    if same_way and abs(e.simulated) > abs(e.human):
        return "over_reacts"
    return "under_reacts" if reacts else "does_not_react"


def _may_oppose(e: ShiftEvidence) -> bool:
    """Whether people may shift the other way, by more than the margin; a smaller shift has no direction to oppose."""
    return e.simulated * e.human < 0 and abs(e.human) + e.human_half > e.margin


def growth_to_show_alike(e: ShiftEvidence) -> float:
    """By what factor must both sides grow to be shown to react alike in four of five samples, if they do?

    An established shift is taken a quarter of its interval's half-width smaller than it was seen: what passes a test
    looks larger than it is (tests/calibration shows the power).
    """
    margin = e.margin
    if e.established:
        margin = SAME * (abs(e.human) - e.human_half / 4)
    return growth_to_align(e.difference_half, margin, errors=TWO_SIDED_ERRORS)


def _excludes_zero(estimate: float, half_width: float) -> bool:
    return abs(estimate) > half_width


def _said(estimate: float, half_width: float) -> str:
    low, high = estimate - half_width, estimate + half_width
    return f"{estimate:.3g} (95 % interval {low:.3g} to {high:.3g})"
