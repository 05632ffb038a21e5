"""Reactions to a worse agent as tables: shifts between arms, dose-response, metamorphic relations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from convsim._text import plain
from convsim.evaluation.layout import in_section, is_shift_of_one_metric
from convsim.report.headline import ratio_line
from convsim.report.tables import estimate, filled, number, verdict, verdict_words
from convsim.schema import Estimate, Finding
from convsim.schema.details import DoseDetails, RatioDetails, RelationDetails, ShiftDetails

WIDE = 110
"""Columns from which on the shifts have room for their intervals."""


def reactions(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    """Yield the tables of whatever counterfactual findings there are."""
    if shifts := in_section(findings, "shifts"):
        ratios = [f for f in shifts if isinstance(f.details, RatioDetails)]
        for ratio in ratios:
            yield Text(ratio_line(ratio), style="bold")
            yield Text(plain(ratio.reason))
        yield _shifts([f for f in shifts if is_shift_of_one_metric(f)])
        yield _whole([f for f in shifts if not is_shift_of_one_metric(f) and f not in ratios])
    if ladder := in_section(findings, "ladder"):
        yield _ladder(ladder)
    if relations := in_section(findings, "relations"):
        yield _relations(relations)


def _shifts(findings: Sequence[Finding]) -> RenderableType:
    told = [(f, f.details) for f in findings if isinstance(f.details, ShiftDetails)]
    rows = [
        (
            Text(plain(f.metric)), estimate(of.human_shift), estimate(of.simulated_shift), estimate(f),
            number(f.noise_floor.q95 if f.noise_floor else None, figures=2), verdict(f),
        )
        for f, of in told
    ]  # fmt: skip
    short = [
        (
            Text(plain(f.metric)), _alone(of.human_shift), _alone(of.simulated_shift), _alone(f),
            Text(verdict_words(f), style=verdict(f).style),
        )
        for f, of in told
    ]  # fmt: skip
    note = (
        "shift: mean of the treated arm minus mean of the control arm, with 95 % interval. difference: simulated minus "
        "people's shift. baseline: the human baseline, the shift between two random halves of people in the control "
        "arm (95 % point). needs more data: so many more conversations show that they react alike, if they do, in "
        "four of five cases."
    )
    short_note = (
        "people, simulated: mean of the treated arm minus mean of the control arm. Intervals, the human baseline and "
        f"how much more data is needed: from {WIDE} columns on."
    )
    return _ByWidth(
        filled(("metric", "people's shift", "simulated", "difference", "baseline", "verdict"), rows, note),
        filled(("metric", "people", "simulated", "difference", "verdict"), short, short_note),
    )


def _alone(of: Finding | Estimate | None) -> str:
    """Write an estimate without its interval."""
    return number(of.estimate if of else None, figures=2)


class _ByWidth:
    """One of two tables: a narrow terminal has no room for intervals, which would be wrapped cell by cell."""

    def __init__(self, wide: RenderableType, narrow: RenderableType):
        self.wide, self.narrow = wide, narrow

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.wide if options.max_width >= WIDE else self.narrow


def _whole(findings: Sequence[Finding]) -> RenderableType:
    rows = [(Text(_name(f.metric)), estimate(f), verdict(f), Text(plain(f.reason))) for f in findings]
    short: list[RenderableType] = [Text("\nall metrics together")]
    for name, estimated, said, why in rows:
        short += [Text.assemble((f"{name}: ", "bold"), said, f"  {estimated}"), Padding(why, (0, 0, 0, 4))]
    return _ByWidth(filled(("all metrics together", "estimate", "verdict", "why"), rows), Group(*short))


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
                number(dose.onset if dose else None), verdict(finding),
            )
        )  # fmt: skip
    columns = ("metric", *(f"at {number(s)}" for s in severities), "slope", "p", "begins at", "verdict")
    note = (
        "Means at each severity. slope: change from severity 0 to 1, with its 95 % interval. p: adjusted p-value of a "
        "monotone trend. begins at: the lowest severity at which shoppers react."
    )
    return filled(columns, rows, note)


def _relations(findings: Sequence[Finding]) -> RenderableType:
    rows: list[tuple[str | Text, ...]] = []
    for finding in findings:
        if finding.estimate is None:
            continue
        held = finding.details if isinstance(finding.details, RelationDetails) else None
        rates = (held.rate_control, held.rate_treated) if held else (None, None)
        rows.append(
            (
                Text(_name(finding.metric)),
                *map(number, rates),
                estimate(finding),
                verdict(finding),
                Text(plain(finding.reason)),
            )
        )
    note = "Means over the same personas, with the agent as it is (without) and with the fault (with)."
    if untested := [finding for finding in findings if finding.estimate is None]:
        names = ", ".join(_name(finding.metric) for finding in untested)
        note += f"\nNot tested ({len(untested)}), as the run lacks what they need: {names} (--format json says what)."
    return filled(("relation", "without", "with", "estimate", "verdict", "why"), rows, note)


def _name(metric: str) -> str:
    return plain(metric).replace("_", " ")
