"""The scorecard as tables for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from convsim._text import plain
from convsim.evaluation.layout import in_section, without_section
from convsim.evaluation.scorecard import Scorecard, SideSummary
from convsim.report import gaps, spending, versions
from convsim.report.agreement import corrected, summary
from convsim.report.answers import METRICS_ALONE, lines, whole_line
from convsim.report.caveats import limits
from convsim.report.gate import sentences
from convsim.report.headline import headline
from convsim.report.reactions import reactions
from convsim.report.tables import baseline, estimate, filled, number, percent, side, verdict
from convsim.schema import Finding
from convsim.schema.details import DiscriminatorDetails

N_GIVEAWAYS = 5
OTHERS_NOTE = "baseline: the human baseline, how far two random groups of people differ, 95 % point"


METRICS_NOTE = (
    f"{METRICS_ALONE} real, simulated: means. distance: Kolmogorov-Smirnov, 0 (same) to 1. baseline: the human "
    "baseline, how far two random groups of people differ (95 % point). needs more data: if nothing differs, so many "
    "more conversations show it in four of five cases."
)
RECOGNITION_NOTE = (
    "score: average probability of “human”; 0.5 is best. accuracy, AUC: of a classifier that tells simulated from "
    "real. baseline: its accuracy on two random groups of people."
)


def print_scorecard(card: Scorecard, console: Console) -> None:
    """Print a scorecard: the answer, both sides, warnings, tables, giveaway words, limits, and the answer again."""
    for part in scorecard(card):
        console.print(part)


def scorecard(card: Scorecard) -> Iterator[RenderableType]:
    """Yield the parts of the screen in order; the answer stands on the first screen, and is the last line."""
    yield from lines(card)
    yield Text(f"{headline(card)}\n", style="" if card.headlines else "bold")
    if card.real is not None:
        yield _line("real", card.real)
    yield _line("simulated", card.simulated)
    for warning in card.warnings:
        yield Text(f"warning: {plain(warning)}", style="yellow")
    for reliability in card.reliability:
        yield from summary(reliability)
    if copying := in_section(card.findings, "copying"):
        yield from _others("copying", copying)
    if habits := in_section(card.findings, "habits"):
        yield _metrics(habits)
    if recognition := in_section(card.findings, "recognition"):
        yield _recognition(recognition)
        yield from _giveaways(recognition[0])
    if adjusted := in_section(card.findings, "prevalence"):
        yield from corrected(adjusted)
    yield from reactions(card.findings)
    if others := [*in_section(card.findings, "blind_test"), *without_section(card.findings)]:
        yield from _others("others", others)
    if card.gate is not None:
        yield Text("\n".join(sentences(card.gate)), style="green" if card.gate.passed else "red")
    yield from versions.screen(card.baseline)
    yield from gaps.screen(card)
    yield from spending.screen(card)
    yield Text("\n".join(limits(card)), style="dim")
    if card.headlines:
        yield whole_line(card)


def _line(name: str, summary: SideSummary) -> Text:
    who = plain(summary.simulator, limit=80) if summary.simulator else "simulator not stated"
    spoken = f", {plain(str(summary.language), limit=80)}" if summary.language else ""
    where = f"  {plain(summary.path, limit=200)}" if summary.path else ""
    return Text(f"{name:>9}  {summary.n} conversations, {who}{spoken}{where}")


def _metrics(findings: Iterable[Finding]) -> RenderableType:
    rows = [
        (
            Text(plain(f.metric)), side(f, "real"), side(f, "simulated"), number(f.estimate), baseline(f), verdict(f),
        )
        for f in findings
    ]  # fmt: skip
    return filled(("metric", "real", "simulated", "distance", "baseline", "verdict"), rows, METRICS_NOTE)


def _recognition(findings: Iterable[Finding]) -> RenderableType:
    rows: list[tuple[str | Text, ...]] = []
    for finding in findings:
        of = finding.details if isinstance(finding.details, DiscriminatorDetails) else None
        numbers = map(number, (of.accuracy, of.control_accuracy, of.auc) if of else (None, None, None))
        rows.append((Text(plain(finding.metric)), number(finding.estimate), *numbers, verdict(finding)))
    return filled(
        ("human-likeness", "score", "accuracy", "baseline", "AUC", "verdict"), rows, RECOGNITION_NOTE
    )


def _giveaways(finding: Finding) -> Iterator[Text]:
    if not isinstance(finding.details, DiscriminatorDetails):
        return
    words = finding.details.tells
    for who, entries in (("the simulator", words.simulated), ("people", words.human)):
        shown = [
            f"“{plain(word.feature)}” {_proportion(word.n_real, finding.n_real)} / "
            f"{_proportion(word.n_simulated, finding.n_simulated)}"
            for word in entries[:N_GIVEAWAYS]
        ]
        if shown:
            yield Text(
                f"giveaway words of {who} (real / simulated conversations with them): {', '.join(shown)}"
            )


def _proportion(count: int, of: int) -> str:
    return percent(min(1.0, count / of)) if of else "–"


def _others(title: str, findings: Iterable[Finding]) -> Iterator[RenderableType]:
    """Yield two lines a finding: what it found, and why, which is too long for a column."""
    yield Text(f"\n{title} ({OTHERS_NOTE})")
    for finding in findings:
        yield Text.assemble(
            (f"{plain(finding.validator, limit=80)}: {plain(finding.metric, limit=80)}: ", "bold"),
            verdict(finding),
            f"  {_numbers(finding)}" if finding.estimate is not None else "",
        )
        yield Padding(Text(plain(finding.reason), style="dim"), (0, 0, 0, 4))


def _numbers(finding: Finding) -> str:
    floor = f", baseline {baseline(finding)}" if finding.noise_floor else ""
    return f"{plain(estimate(finding))} {plain(finding.unit, limit=80)}{floor}"
