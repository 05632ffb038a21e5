"""Counterfactual findings as tables: shifts between arms, dose-response, metamorphic relations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.text import Text

from convsim._text import plain
from convsim.evaluation.layout import in_section, is_shift_of_one_metric
from convsim.report.tables import estimate, filled, number, verdict
from convsim.schema import Finding
from convsim.schema.details import DoseDetails, RelationDetails, ShiftDetails


def reactions(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    """Yield the tables of whatever counterfactual findings there are."""
    if shifts := in_section(findings, "shifts"):
        yield _shifts([f for f in shifts if is_shift_of_one_metric(f)])
        yield _whole([f for f in shifts if not is_shift_of_one_metric(f)])
    if ladder := in_section(findings, "ladder"):
        yield _ladder(ladder)
    if relations := in_section(findings, "relations"):
        yield _relations(relations)


def _shifts(findings: Iterable[Finding]) -> RenderableType:
    rows = [
        (
            Text(plain(f.metric)), estimate(f.details.human_shift), estimate(f.details.simulated_shift), estimate(f),
            number(f.noise_floor.q95 if f.noise_floor else None, figures=2), _decided(f),
        )
        for f in findings
        if isinstance(f.details, ShiftDetails)
    ]  # fmt: skip
    note = (
        "Shifts are treated minus control, with 95 % intervals. difference: simulated minus people's. "
        "floor: shift between halves of the people's control arm, 95 % point. "
        "undecided (n + m): about n real and m simulated conversations an arm would decide."
    )
    return filled(("metric", "people's shift", "simulated", "difference", "floor", "verdict"), rows, note)


def _whole(findings: Iterable[Finding]) -> RenderableType:
    rows = [(Text(_name(f.metric)), estimate(f), _decided(f), Text(plain(f.reason))) for f in findings]
    return filled(("taken together", "estimate", "verdict", "why"), rows)


def _ladder(findings: Sequence[Finding]) -> RenderableType:
    doses = [f.details if isinstance(f.details, DoseDetails) else None for f in findings]
    severities = next((dose.severities for dose in doses if dose), ())
    rows: list[tuple[str | Text, ...]] = []
    for finding, dose in zip(findings, doses, strict=True):
        fits = dose is not None and len(dose.means) == len(severities)
        means = dose.means if dose and fits else [None] * len(severities)
        rows.append(
            (
                Text(plain(finding.metric)), *map(number, means), estimate(finding), number(finding.p_adjusted),
                number(dose.onset if dose else None), _decided(finding),
            )
        )  # fmt: skip
    columns = ("metric", *(f"at {number(s)}" for s in severities), "slope", "p", "begins at", "verdict")
    note = (
        "Means by severity; slope: change from severity 0 to 1, with its 95 % interval; p: of a monotone trend, "
        "adjusted; begins at: the lowest severity at which shoppers react."
    )
    return filled(columns, rows, note)


def _relations(findings: Sequence[Finding]) -> RenderableType:
    rows: list[tuple[str | Text, ...]] = []
    asked = [finding for finding in findings if finding.estimate is not None]
    for finding in asked:
        held = finding.details if isinstance(finding.details, RelationDetails) else None
        rates = (held.rate_control, held.rate_treated) if held else (None, None)
        rows.append(
            (
                Text(_name(finding.metric)),
                *map(number, rates),
                estimate(finding),
                _decided(finding),
                Text(plain(finding.reason)),
            )
        )
    note = "Rates of the same personas: with the agent as it is, and with the fault."
    if mute := [_name(finding.metric) for finding in findings if finding.estimate is None]:
        note += f"\nNothing recorded to ask them of: {', '.join(mute)} (--format json says what to hold)."
    return filled(("relation", "without", "with", "estimate", "verdict", "why"), rows, note)


def _decided(finding: Finding) -> Text:
    """Write the verdict and, where there is none, how many conversations an arm would settle it."""
    needed = finding.details.get("n_to_decide")
    if finding.is_control or finding.verdict != "undecided" or not isinstance(needed, Mapping):
        return verdict(finding)
    return verdict(finding).append(f" ({' + '.join(map(number, needed.values()))})", style="dim")


def _name(metric: str) -> str:
    return plain(metric).replace("_", " ")
