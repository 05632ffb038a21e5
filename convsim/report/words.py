"""Verdicts and numbers in words, and text from transcripts made safe to print."""

from __future__ import annotations

import math
import unicodedata

from convsim.battery.scorecard import Scorecard
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
}


def number(value: object) -> str:
    """Write a number to three figures; a dash where there is none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return "–"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def interval(finding: Finding) -> str:
    """Write a finding's interval, or a dash."""
    return f"[{number(finding.interval[0])}, {number(finding.interval[1])}]" if finding.interval else "–"


def plain(text: str, *, limit: int = 500) -> str:
    """Replace control and formatting characters and cut: transcripts are hostile text."""
    shown = "".join(
        "�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in "\n\t" else c for c in text[:limit]
    )
    return shown if len(text) <= limit else shown + "…"


def side(finding: Finding, name: str) -> str:
    """Write the mean of one side of a marginal comparison."""
    summary = finding.details.get(name)
    return number(summary.get("mean")) if isinstance(summary, dict) else "–"


def headline(card: Scorecard) -> str:
    """Say in a sentence or two what was found."""
    habits = [f for f in card.judged if f.validator == "marginals"]
    parts = []
    if habits:
        counts = {v: sum(f.verdict == v for f in habits) for v in ("different", "aligned", "undecided")}
        parts.append(
            f"Of {len(habits)} metrics, {counts['different']} differ from people's, {counts['aligned']} are aligned "
            f"and {counts['undecided']} are undecided."
        )
    for finding in card.judged:
        if finding.metric == "hls":
            parts.append(_discriminator_sentence(finding))
    return " ".join(parts) or f"{len(card.judged)} findings."


def _discriminator_sentence(finding: Finding) -> str:
    accuracy, control = finding.details.get("accuracy"), finding.details.get("control_accuracy")
    if accuracy is None:
        return f"Human-likeness is undecided: {finding.reason}."
    verdicts: dict[str, str] = {
        "different": "A reader of the words alone tells the simulated shoppers from people",
        "aligned": "A reader of the words alone hardly tells the simulated shoppers from people",
    }
    opening = verdicts.get(
        finding.verdict, "It is undecided whether words tell the simulated shoppers from people"
    )
    return (
        f"{opening}: accuracy {number(accuracy)} (people from people {number(control)}, chance 0.5), "
        f"human-likeness score {number(finding.estimate)}."
    )
