"""The scorecard as tables for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.text import Text

from convsim._text import plain
from convsim.evaluation.layout import in_section, without_section
from convsim.evaluation.scorecard import Scorecard, SideSummary
from convsim.report.agreement import corrected, summary
from convsim.report.caveats import limits
from convsim.report.headline import headline
from convsim.report.reactions import reactions
from convsim.report.tables import estimate, filled, floor, number, side, verdict
from convsim.schema import Finding
from convsim.schema.details import DiscriminatorDetails

N_TELLS = 5


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
    if habits := in_section(card.findings, "habits"):
        yield _metrics(habits)
    if likeness := in_section(card.findings, "likeness"):
        yield _likeness(likeness)
        yield from _tells(likeness[0])
    if adjusted := in_section(card.findings, "prevalence"):
        yield from corrected(adjusted)
    yield from reactions(card.findings)
    if others := [*in_section(card.findings, "blind_test"), *without_section(card.findings)]:
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
            Text(plain(f.metric)), side(f, "real"), side(f, "simulated"), number(f.estimate), floor(f), verdict(f),
        )
        for f in findings
    ]  # fmt: skip
    note = "real, simulated: means. distance: Kolmogorov-Smirnov. floor: what people are from people, 95 % point."
    return filled(("metric", "real", "simulated", "distance", "floor", "verdict"), rows, note)


def _likeness(findings: Iterable[Finding]) -> RenderableType:
    rows: list[tuple[str | Text, ...]] = []
    for finding in findings:
        of = finding.details if isinstance(finding.details, DiscriminatorDetails) else None
        numbers = map(number, (of.accuracy, of.control_accuracy, of.auc) if of else (None, None, None))
        rows.append((Text(plain(finding.metric)), number(finding.estimate), *numbers, verdict(finding)))
    note = "score: mean probability of human, .5 at best. people: accuracy at telling people from people."
    return filled(("human-likeness", "score", "accuracy", "people", "AUC", "verdict"), rows, note)


def _tells(finding: Finding) -> Iterator[Text]:
    if not isinstance(finding.details, DiscriminatorDetails):
        return
    tells = finding.details.tells
    for who, entries in (("the simulator", tells.simulated), ("people", tells.human)):
        shown = [f"“{plain(tell.feature)}” {tell.n_real}/{tell.n_simulated}" for tell in entries[:N_TELLS]]
        if shown:
            yield Text(f"tells of {who} (real/simulated conversations): {', '.join(shown)}")


def _others(findings: Iterable[Finding]) -> RenderableType:
    rows = [
        (
            Text(f"{plain(f.validator, limit=80)}: {plain(f.metric, limit=80)}"), Text(plain(estimate(f))),
            Text(plain(f.unit, limit=80)), floor(f), verdict(f), Text(plain(f.reason)),
        )
        for f in findings
    ]  # fmt: skip
    note = "floor: how far two random groups of people differ, 95 % point, where that is known."
    return filled(("others", "estimate", "unit", "floor", "verdict", "why"), rows, note)
