"""The scorecard as tables for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from convsim.battery.scorecard import Scorecard, SideSummary
from convsim.contracts import FAILING, Finding
from convsim.report.limits import limits
from convsim.report.words import VERDICTS, headline, number, plain, side

N_TELLS = 5


def print_scorecard(card: Scorecard, console: Console) -> None:
    """Print a scorecard: sides, warnings, metrics, human-likeness with its tells, the headline and its limits."""
    for part in scorecard(card):
        console.print(part)


def scorecard(card: Scorecard) -> Iterator[RenderableType]:
    """Yield the parts of the page in order."""
    yield _line("real", card.real)
    yield _line("simulated", card.simulated)
    for warning in card.warnings:
        yield Text(f"warning: {plain(warning)}", style="yellow")
    habits = [f for f in card.findings if f.validator == "marginals"]
    if habits:
        yield _metrics(habits)
    likeness = [f for f in card.findings if f.validator == "humanlikeness"]
    if likeness:
        yield _likeness(likeness)
        yield from _tells(likeness[0])
    others = [f for f in card.findings if f.validator not in ("marginals", "humanlikeness")]
    if others:
        yield _others(others)
    yield Text(headline(card), style="bold")
    yield Text("\n".join(limits()), style="dim")


def _line(name: str, summary: SideSummary) -> Text:
    who = plain(summary.simulator, limit=80) if summary.simulator else "no simulator named"
    where = f"  {plain(summary.path, limit=200)}" if summary.path else ""
    return Text(f"{name:>9}  {summary.n} conversations, {who}{where}")


def _verdict(finding: Finding) -> Text:
    if finding.is_control:
        return Text("control", style="dim")
    styles = {"aligned": "green", "reacts_as_people": "green", "undecided": "yellow"}
    return Text(
        VERDICTS[finding.verdict], style="red" if finding.verdict in FAILING else styles[finding.verdict]
    )


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for index, column in enumerate(columns):
        table.add_column(
            column, justify="left" if index in (0, len(columns) - 1) else "right", overflow="fold"
        )
    return table


def _metrics(findings: Iterable[Finding]) -> RenderableType:
    table = _table("metric", "real", "simulated", "distance", "floor", "verdict")
    for finding in findings:
        floor = number(finding.noise_floor.q95) if finding.noise_floor else "–"
        table.add_row(
            Text(plain(finding.metric)), side(finding, "real"), side(finding, "simulated"),
            number(finding.estimate), floor, _verdict(finding),
        )  # fmt: skip
    note = "real, simulated: means. distance: Kolmogorov-Smirnov. floor: what people are from people, 95 % point."
    return Group(Padding(table, (1, 0, 0, 0)), Text(note, style="dim"))


def _likeness(findings: Iterable[Finding]) -> RenderableType:
    table = _table("human-likeness", "score", "accuracy", "people", "AUC", "verdict")
    for finding in findings:
        numbers = [number(finding.details.get(name)) for name in ("accuracy", "control_accuracy", "auc")]
        table.add_row(Text(finding.metric), number(finding.estimate), *numbers, _verdict(finding))
    note = "score: mean probability of human, .5 at best. people: accuracy at telling people from people."
    return Group(Padding(table, (1, 0, 0, 0)), Text(note, style="dim"))


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
    table = _table("validator", "metric", "estimate", "unit", "verdict")
    for finding in findings:
        texts = (Text(plain(finding.validator)), Text(plain(finding.metric)), number(finding.estimate))
        table.add_row(*texts, Text(plain(finding.unit)), _verdict(finding))
    return Padding(table, (1, 0, 0, 0))
