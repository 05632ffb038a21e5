"""What is left of the other findings where a simulator copies the people that it is judged on."""

from __future__ import annotations

from collections.abc import Sequence

from convsim.evaluation.layout import section_of
from convsim.schema import Finding

NO_CREDIT = (
    "the simulated conversations copy the people that they are judged on (see the finding {metric}), so that nothing "
    "tells them apart says nothing of how human they are"
)


def without_credit_for_copies(findings: Sequence[Finding]) -> list[Finding]:
    """Take the human-likeness scores away where near-copies were found: half right is perfect for others alone.

    What differs all the same stays as it is, and so do habits, which are what they are whoever had them first.
    """
    copied = next((finding for finding in findings if finding.verdict == "copies"), None)
    if copied is None:
        return list(findings)
    reason = NO_CREDIT.format(metric=copied.metric)
    return [
        finding.but(verdict="undecided", reason=reason, estimate=None, interval=None, noise_floor=None)
        if section_of(finding) == "recognition" and finding.verdict in ("aligned", "undecided")
        else finding
        for finding in findings
    ]
