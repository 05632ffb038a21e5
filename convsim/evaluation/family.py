"""One family a card: p-values are corrected for the validators that ran, and no verdict stands without it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from convsim.schema import Finding
from convsim.schema.details import ShiftDetails
from convsim.stats.decision import ALPHA
from convsim.stats.multiplicity import across_families


def one_family(findings: Iterable[Finding]) -> list[Finding]:
    """Correct the p-values of a card's validators, each corrected within itself, for how many there are.

    A simulator that is like people then has a finding `different` in at most one card of twenty. A finding that no
    longer shows a difference becomes undecided; no finding becomes different. Left alone is what states no corrected
    p-value, what is shown only, and shifts, where it is the people's.
    """
    findings = list(findings)
    places: dict[str, list[int]] = defaultdict(list)
    for place, finding in enumerate(findings):
        if finding.p_adjusted is not None and not finding.is_control and not _is_shift(finding):
            places[finding.validator].append(place)
    if len(places) < 2:
        return findings
    stated = {name: [float(findings[n].p_adjusted or 0) for n in rows] for name, rows in places.items()}
    for name, p_values in across_families(stated).items():
        for place, p_value in zip(places[name], p_values, strict=True):
            findings[place] = _corrected(findings[place], p_value, len(places))
    return findings


def _is_shift(finding: Finding) -> bool:
    return isinstance(finding.details, ShiftDetails)


def _corrected(finding: Finding, p_value: float, n_validators: int) -> Finding:
    if finding.verdict != "different" or p_value <= ALPHA:
        return finding.but(p_adjusted=p_value)
    return finding.but(
        p_adjusted=p_value,
        verdict="undecided",
        reason=f"no difference is shown once the {n_validators} validators of this card are counted; alone: "
        f"{finding.reason}",
    )
