"""The comparison as tables for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from convsim._text import plain
from convsim.evaluation import Comparison
from convsim.report.comparison.order import ranking, short_tables
from convsim.report.comparison.sentences import limits, sentences, shown, warnings
from convsim.report.comparison.tables import Table, tables
from convsim.report.tables import filled

MAX_HEADER = 26
MAX_CELL = 60
MAX_WARNINGS = 4
MAX_WARNING = 240
"""Characters of a warning, where not all is asked for."""
GAP = 3
"""Blanks between two columns."""
BRACKETS = str.maketrans("[]", "()")
"""So that no console takes a name for its markup."""


def print_comparison(comparison: Comparison, console: Console, *, full: bool = False) -> None:
    """Print a comparison: who is closest to people, the ranking, what else was found, and what that does not show.

    Args:
        comparison: What was found.
        console: Where to.
        full: Print every side, warning and table, too.
    """
    first, *others = sentences(comparison)
    console.print(Text(shown(first), style="bold"))
    for part in _whole(comparison, console.width) if full else _short(comparison, console.width):
        console.print(part)
    console.print(Text("\n" + "\n".join(map(shown, others))))
    console.print(Text("\n".join(limits()), style="dim"))
    if not full:
        console.print(Text("All tables: --full; a page with transcripts: --out DIR.", style="dim"))


def _short(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    for table in short_tables(comparison):
        yield from _blocks(table, width)
    every = [*warnings(comparison)]
    if every:
        yield Text("")
    for warning in every[:MAX_WARNINGS]:
        text = shown(warning)
        cut = text if len(text) <= MAX_WARNING else f"{text[: MAX_WARNING - 1]}…"
        yield Text(f"warning: {cut}", style="yellow")
    if len(every) > MAX_WARNINGS:
        yield Text(f"and {len(every) - MAX_WARNINGS} more warnings (--full)", style="yellow")


def _whole(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    sides = [("people", comparison.people.side), *((each.name, each.side) for each in comparison.simulators)]
    for name, side in sides:
        who = f", {plain(side.simulator, limit=80)}" if side.simulator else ""
        spoken = f", {plain(str(side.language), limit=80)}" if side.language else ""
        where = f"  {plain(side.path, limit=200)}" if side.path else ""
        yield Text(f"{shown(name)[:MAX_CELL]:>20}  {side.n} conversations{who}{spoken}{where}")
    for warning in warnings(comparison):
        yield Text(f"warning: {shown(warning)}", style="yellow")
    for table in (ranking(comparison), *tables(comparison)):
        yield from _blocks(table, width)


def _blocks(table: Table, width: int) -> Iterator[RenderableType]:
    """Write a table; one that is too wide goes on below with other columns, each block with the rows' names."""
    headers = _headers(table.columns)
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    wide = [max(map(cell_len, column)) for column in zip(headers, *rows, strict=True)]
    blocks: list[list[int]] = [[]]
    left = width - wide[0]
    for column in range(1, len(headers)):
        if blocks[-1] and wide[column] + GAP > left:
            blocks.append([])
            left = width - wide[0]
        blocks[-1].append(column)
        left -= wide[column] + GAP
    for block in blocks:
        note = "\n".join(map(shown, table.note.splitlines())) if block is blocks[-1] else ""
        columns = [0, *block]
        cells = [[Text(row[column]) for column in columns] for row in rows]
        yield filled([headers[column] for column in columns], cells, note)


def _headers(columns: Sequence[str]) -> list[str]:
    """Cut headers, which may be simulators' names; those that become the same are told apart by their place."""
    cut = [shown(column).translate(BRACKETS) for column in columns]
    cut = [text if len(text) <= MAX_HEADER else f"{text[: MAX_HEADER - 1]}…" for text in cut]
    return [f"{number} {text}" if cut.count(text) > 1 else text for number, text in enumerate(cut)]


def _cell(text: str) -> str:
    cell = shown(text)
    return cell if len(cell) <= MAX_CELL else f"{cell[: MAX_CELL - 1]}…"
