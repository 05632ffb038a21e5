"""The scorecard as tables for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.text import Text

from convsim.battery.scorecard import Scorecard, SideSummary
from convsim.contracts import Finding
from convsim.plain import plain
from convsim.report.headline import headline
from convsim.report.limits import limits
from convsim.report.reactions import LADDER, RELATIONS, SHIFTS, reactions
from convsim.report.reliability import corrected, summary
from convsim.report.tables import filled, verdict
from convsim.report.words import number, side

N_TELLS = 5
KNOWN = ("marginals", "humanlikeness", "prevalence", SHIFTS, LADDER, RELATIONS)
"""Validators whose findings have a table of their own."""


def print_scorecard(card: Scorecard, console: Console) -> None:
    """Print a scorecard: sides, warnings, metrics, human-likeness with its tells, the headline and its limits."""
    for part in scorecard(card):
        console.print(part)


def scorecard(card: Scorecard) -> Iterator[RenderableType]:
    """Yield the parts of the page in order."""
    if card.real is not None:
        yield _line("real", card.real)
    yield _line("simulated", card.simulated)
    for warning in card.warnings:
        yield Text(f"warning: {plain(warning)}", style="yellow")
    for reliability in card.reliability:
        yield from summary(reliability)
    habits = [f for f in card.findings if f.validator == "marginals"]
    if habits:
        yield _metrics(habits)
    likeness = [f for f in card.findings if f.validator == "humanlikeness"]
    if likeness:
        yield _likeness(likeness)
        yield from _tells(likeness[0])
    adjusted = [f for f in card.findings if f.validator == "prevalence"]
    if adjusted:
        yield from corrected(adjusted)
    yield from reactions(card.findings)
    others = [f for f in card.findings if f.validator not in KNOWN]
    if others:
        yield _others(others)
    yield Text(headline(card), style="bold")
    yield Text("\n".join(limits(card)), style="dim")


def _line(name: str, summary: SideSummary) -> Text:
    who = plain(summary.simulator, limit=80) if summary.simulator else "no simulator named"
    where = f"  {plain(summary.path, limit=200)}" if summary.path else ""
    return Text(f"{name:>9}  {summary.n} conversations, {who}{where}")


def _metrics(findings: Iterable[Finding]) -> RenderableType:
    rows = [
        (
            Text(plain(f.metric)), side(f, "real"), side(f, "simulated"), number(f.estimate),
            number(f.noise_floor.q95) if f.noise_floor else "–", verdict(f),
        )
        for f in findings
    ]  # fmt: skip
    note = "real, simulated: means. distance: Kolmogorov-Smirnov. floor: what people are from people, 95 % point."
    return filled(("metric", "real", "simulated", "distance", "floor", "verdict"), rows, note)


def _likeness(findings: Iterable[Finding]) -> RenderableType:
    rows: list[tuple[str | Text, ...]] = []
    for finding in findings:
        numbers = [number(finding.details.get(name)) for name in ("accuracy", "control_accuracy", "auc")]
        rows.append((Text(finding.metric), number(finding.estimate), *numbers, verdict(finding)))
    note = "score: mean probability of human, .5 at best. people: accuracy at telling people from people."
    return filled(("human-likeness", "score", "accuracy", "people", "AUC", "verdict"), rows, note)


def _tells(finding: Finding) -> Iterator[Text]:
    listed = finding.details.get("tells")
    for name, who in (("simulated", "the simulator"), ("human", "people")):
        entries = listed.get(name) if isinstance(listed, dict) else None
        if not isinstance(entries, list) or not entries:
            continue
        shown = [
            f"“{plain(str(entry['feature']))}” {entry['n_real']}/{entry['n_simulated']}"
            for entry in entries[:N_TELLS]
            if isinstance(entry, dict)
        ]
        yield Text(f"tells of {who} (real/simulated conversations): {', '.join(shown)}")


def _others(findings: Iterable[Finding]) -> RenderableType:
    rows = [
        (Text(plain(f.validator)), Text(plain(f.metric)), number(f.estimate), Text(plain(f.unit)), verdict(f))
        for f in findings
    ]
    return filled(("validator", "metric", "estimate", "unit", "verdict"), rows)
