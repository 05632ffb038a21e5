"""Each conversation's human-likeness, where the findings keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from convsim.evaluation.layout import WORDS_VIEW, in_section
from convsim.schema import Finding
from convsim.schema.details import DiscriminatorDetails


def words_view(findings: Iterable[Finding]) -> DiscriminatorDetails | None:
    """Return what the discriminator of the words found out; None where none was fitted."""
    finding = next((f for f in in_section(findings, "recognition") if f.metric == WORDS_VIEW), None)
    return finding.details if finding and isinstance(finding.details, DiscriminatorDetails) else None


def scores_of(findings: Iterable[Finding], side: Literal["real", "simulated"]) -> Mapping[str, float]:
    """Return the probability of "human" that the words' discriminator gave to each conversation, by its id.

    Empty where it was not kept.
    """
    found = words_view(findings)
    if found is None:
        return {}
    return found.conversation_scores.real if side == "real" else found.conversation_scores.simulated
