"""What each metric measures, in a sentence, for whoever points at its name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from convsim._text import plain
from convsim.schema import Finding

MAX_CHARACTERS = 280
SENTENCE = re.compile(r"[.;?](?= |$)")


def explanation(finding: Finding) -> str:
    """Return what a finding's metric measures: its question, without a first one that only repeats the name.

    What is longer than 280 characters ends with the last sentence, or part of one, that has room.
    """
    question = " ".join(plain(finding.question).split())
    asked, _, measured = question.partition("? ")
    said = measured if measured and finding.metric in asked else question
    if len(said) <= MAX_CHARACTERS:
        return said
    ends = [found.start() for found in SENTENCE.finditer(said[:MAX_CHARACTERS])]
    return f"{said[: ends[-1]]}." if ends else f"{said[:MAX_CHARACTERS]}…"


def explanations(findings: Iterable[Finding]) -> dict[tuple[str, str], str]:
    """Return the explanations by validator and metric."""
    return {(finding.validator, finding.metric): explanation(finding) for finding in findings}
