"""Each conversation's human-likeness, where the findings keep it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from convsim.contracts import Finding
from convsim.report.html.details import a_number, a_part


def scores_of(findings: Iterable[Finding], side: Literal["real", "simulated"]) -> dict[str, float]:
    """Return the probability of "human" that the words' discriminator gave to each conversation, by its id.

    It stands in the finding ``hls`` at ``details.conversation_scores.<side>.<id>``; empty where it was not kept.
    """
    for finding in findings:
        if finding.validator == "humanlikeness" and finding.metric == "hls":
            scores = a_part(finding, "conversation_scores", side)
            known = {key: a_number(value) for key, value in scores.items()}
            return {key: value for key, value in known.items() if value is not None and 0 <= value <= 1}
    return {}
