"""Verdicts and numbers in words."""

from __future__ import annotations

import math

from convsim.contracts import Finding, Verdict

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


def side(finding: Finding, name: str) -> str:
    """Write one side of a comparison: its mean, or its shift from one arm to another."""
    summary = finding.details.get(name)
    shift = finding.details.get("human_shift" if name == "real" else f"{name}_shift")
    if isinstance(summary, dict):
        return number(summary.get("mean"))
    return number(shift.get("estimate")) if isinstance(shift, dict) else "–"
