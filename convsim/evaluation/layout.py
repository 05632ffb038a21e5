"""The one table of names: which validators have a section of their own in reports, and what is special in them.

Any other validator is shown too, by the fields that every finding has and by the type of its details.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from convsim.schema import Finding, Verdict
from convsim.schema.details import LeavingDetails, ShiftDetails

Section = Literal[
    "copying", "habits", "recognition", "prevalence", "shifts", "ladder", "relations", "blind_test"
]
SECTIONS: dict[Section, str] = {
    "copying": "copies",
    "habits": "marginals",
    "recognition": "humanlikeness",
    "prevalence": "prevalence",
    "shifts": "counterfactual",
    "ladder": "dose_response",
    "relations": "relations",
    "blind_test": "arena",
}
"""The sections in the order in which reports show them, and the validator that each belongs to."""

LIMITS: dict[Section, str] = {
    "shifts": "shifts",
    "ladder": "no_people",
    "relations": "no_people",
    "blind_test": "arena",
}
"""Which file says what passing does not show; all other findings share that of a comparison."""

VERDICT_WORDS: dict[Section, dict[Verdict, str]] = {
    "ladder": {"aligned": "reacts"},
    "relations": {"aligned": "holds", "different": "broken"},
}
"""Sections in which a verdict reads differently: nobody is compared with people there."""

VIEWS = {"hls": "all words", "hls_length_matched": "first words only", "hls_behaviour": "habits, no words"}
"""What the classifier of each finding of the section ``recognition`` sees."""
WORDS_VIEW, HABITS_VIEW = "hls", "hls_behaviour"
"""Of these views: the one whose score is the human-likeness score (HLS), and the one that sees habits only."""

ALL_METRICS = (SECTIONS["habits"], "all_metrics")
"""The finding on all habits together, by validator and metric; it has a sentence, and no place among the metrics."""

FIRST_WORDS_OF_PEOPLE = "first_message_real"
"""The finding of ``shifts`` that must not differ: whether people's first messages depend on the arm."""

MEAN_DISTANCE = (SECTIONS["habits"], "mean_distance")
RELATIVE_HLS = (SECTIONS["recognition"], "relative_hls")
TRANSFER = "generalisation"
"""Names of the scores in a comparison: validator and metric; the last one is a metric of pairs of simulators."""


def section_of(finding: Finding) -> Section | None:
    """Return the section of a finding; None for a validator without one, for one that failed, and for all metrics."""
    if finding.verdict == "failed" or (finding.validator, finding.metric) == ALL_METRICS:
        return None
    return next((section for section, validator in SECTIONS.items() if finding.validator == validator), None)


def in_section(findings: Iterable[Finding], *sections: Section) -> list[Finding]:
    """Return the findings of some sections, in their order."""
    return [finding for finding in findings if section_of(finding) in sections]


def without_section(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that no section shows: of other validators, and of those that failed."""
    return [finding for finding in findings if section_of(finding) is None]


def is_shift_of_one_metric(finding: Finding) -> bool:
    """Tell whether a finding is about the shift of a single metric, not of all metrics or of the time of leaving."""
    return isinstance(finding.details, ShiftDetails) and not isinstance(finding.details, LeavingDetails)
