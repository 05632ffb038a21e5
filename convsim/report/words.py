"""Verdicts and numbers in words."""

from __future__ import annotations

import math
from typing import Literal

from convsim.schema import Finding, Verdict
from convsim.schema.details import DistanceDetails, ShiftDetails

SideName = Literal["real", "simulated"]

VERDICTS: dict[Verdict, str] = {
    "aligned": "aligned",
    "different": "different",
    "undecided": "undecided",
    "reacts_as_people": "reacts as people",
    "does_not_react": "does not react",
    "under_reacts": "under-reacts",
    "over_reacts": "over-reacts",
    "reacts_wrong_way": "reacts the wrong way",
    "failed": "failed",
}


def number(value: object, *, figures: int = 3) -> str:
    """Write a number to some figures; a dash where there is none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return "–"
    return f"{value:.{figures}g}" if abs(value) < 10**figures else f"{value:,.0f}"


def interval(finding: Finding) -> str:
    """Write a finding's interval, or a dash."""
    return f"[{number(finding.interval[0])}, {number(finding.interval[1])}]" if finding.interval else "–"


def side(finding: Finding, name: SideName) -> str:
    """Write one side of a comparison: its mean, or its shift from one arm to another."""
    return number(value_of_side(finding, name))


def value_of_side(finding: Finding, name: SideName) -> float | None:
    """Return one side's mean, or its shift; None where the finding has none."""
    details, real = finding.details, name == "real"
    if isinstance(details, DistanceDetails):
        return (details.real if real else details.simulated).mean
    if isinstance(details, ShiftDetails):
        shift = details.human_shift if real else details.simulated_shift
        return shift.estimate if shift else None
    return None


def floor(finding: Finding) -> str:
    """Write the human baseline: the 95 % point of how far two groups of people differ; a dash where there is none."""
    return number(finding.noise_floor.q95) if finding.noise_floor else "–"


def measured(finding: Finding) -> str:
    """Write all that a finding measured: its estimate, unit, interval and human baseline, as far as it has them."""
    if finding.estimate is None:
        return ""
    parts = [f"{number(finding.estimate)} {finding.unit}".strip()]
    if finding.interval:
        parts.append(f"{finding.level:.0%} interval {interval(finding)}")
    if finding.noise_floor:
        parts.append(f"human baseline {floor(finding)}")
    return ", ".join(parts)
