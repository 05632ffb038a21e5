"""Drift of people's logs at a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

from rich.console import Console, RenderableType
from rich.text import Text

from convsim._text import plain
from convsim.evaluation.drifting.record import Change, Drift
from convsim.report.glance import MAX_LINES, WIDTH
from convsim.report.markdown import row, rule, table_cell
from convsim.report.tables import KIND_STYLES, MARKS, VERDICTS, filled, kind_of_verdict, number

MAX_NAME = 40
MAX_DIFFERING = 5
"""Findings of one period that are shown."""
MAX_CHANGES = 10
MAX_WARNINGS = 10


@dataclass(frozen=True)
class _Part:
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def line_of(drift: Drift) -> str:
    """Say in one line what became of it."""
    mark, words = MARKS[kind_of_verdict(drift.verdict)], VERDICTS[drift.verdict]
    return f"{mark} later people: {words}: {plain(drift.reason)}"


def print_drift(drift: Drift, console: Console) -> None:
    """Print the verdict, then a table of periods and one of habits along time."""
    for part in _screen(drift):
        console.print(part)


def drift_text(drift: Drift) -> str:
    """Write a drift in a screen, at most 40 lines of 100 columns."""
    console = Console(
        file=StringIO(), width=WIDTH, color_system=None, force_terminal=False, highlight=False, legacy_windows=False
    )  # fmt: skip
    with console.capture() as captured:
        print_drift(drift, console)
    lines = [line.rstrip() for line in captured.get().splitlines() if line.strip()]
    if len(lines) <= MAX_LINES:
        return "\n".join(lines)
    return "\n".join([*lines[: MAX_LINES - 1], "and more; .to_dict() has all"])


def drift_to_markdown(drift: Drift) -> str:
    """Return a drift as GitHub-flavoured Markdown; names are escaped."""
    parts = ["# Drift", table_cell(_question(drift)), f"**{table_cell(line_of(drift), 2000)}**"]
    parts += [f"> warning: {table_cell(warning)}" for warning in _warnings(drift)]
    for part in _parts(drift):
        parts += [
            f"## {part.title}",
            "\n".join([row(part.columns), rule(len(part.columns)), *map(row, part.rows)]),
        ]
    return "\n\n".join([*parts, *(table_cell(end, 2000) for end in _ends(drift))]) + "\n"


def _screen(drift: Drift) -> Iterator[RenderableType]:
    yield Text(_question(drift), style="bold")
    yield Text(line_of(drift), style=KIND_STYLES[kind_of_verdict(drift.verdict)])
    for warning in _warnings(drift):
        yield Text(f"warning: {plain(warning)}", style="yellow")
    for part in _parts(drift):
        yield Text(f"\n{part.title}", style="bold")
        yield filled(part.columns, part.rows, "", left=set(part.columns) - {"n"})
    for end in _ends(drift):
        yield Text(end, style="dim")


def _warnings(drift: Drift) -> list[str]:
    """Return what the reader is to be warned of, of all and of each period."""
    of_periods = [f"{said} (failed)" for said in drift.failed]
    for period in drift.periods:
        of_periods += [f"{plain(period.name, limit=MAX_NAME)}: {said}" for said in period.warnings]
    return [*drift.warnings, *of_periods[:MAX_WARNINGS]]


def _question(drift: Drift) -> str:
    return (
        f"Are later people like those of {plain(drift.reference, limit=MAX_NAME)} (n = {drift.real.n})? "
        f"Periods by {plain(drift.by, limit=MAX_NAME)}."
    )


def _parts(drift: Drift) -> Iterator[_Part]:
    rows = []
    for period in drift.periods:
        words = f"{MARKS[kind_of_verdict(period.verdict)]} {VERDICTS[period.verdict]}"
        in_what = [
            f"{plain(each.validator, limit=30)}/{plain(each.metric, limit=40)}" for each in period.differing
        ]
        more = f" and {len(in_what) - MAX_DIFFERING} more" if len(in_what) > MAX_DIFFERING else ""
        told = ", ".join(in_what[:MAX_DIFFERING]) + more if in_what else plain(period.reason)
        rows.append((plain(period.name, limit=MAX_NAME), str(period.side.n), words, told))
    yield _Part("Periods", ("period", "n", "verdict", "in what"), tuple(rows))
    if drift.changes:
        yield _Part(
            "Habits along time",
            ("habit", "largest sum", "p", "changes", "before", "after"),
            tuple(map(_along_time, drift.changes[:MAX_CHANGES])),
        )


def _along_time(change: Change) -> tuple[str, ...]:
    levels = number(change.before), number(change.after)
    return (
        plain(change.metric, limit=MAX_NAME),
        number(change.statistic),
        number(change.p_adjusted),
        change.at,
        *levels,
    )


def _ends(drift: Drift) -> Iterator[str]:
    if (left := len(drift.changes) - MAX_CHANGES) > 0:
        yield f"and {left} more habits; JSON has all"
    yield (
        f"H0, {drift.null_hypothesis}; {drift.n_families} families, each at {drift.alpha / drift.n_families:.2g}. "
        f"Source: {drift.source}. Seed {drift.seed}."
    )
