"""The comparison as tables for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from convsim._text import plain
from convsim.evaluation import Comparison
from convsim.report.comparison.sentences import limits, sentences, shown, warnings
from convsim.report.comparison.tables import Table, tables
from convsim.report.tables import filled

MAX_HEADER = 26
MAX_CELL = 60
GAP = 3
"""Blanks between two columns."""
BRACKETS = str.maketrans("[]", "()")
"""So that no console takes a name for its markup."""


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print a comparison: sides, warnings, tables, what they come to, and what that does not show."""
    for part in _parts(comparison, console.width):
        console.print(part)


def _parts(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    sides = [("people", comparison.people.side), *((each.name, each.side) for each in comparison.simulators)]
    for name, side in sides:
        who = f", {plain(side.simulator, limit=80)}" if side.simulator else ""
        spoken = f", {plain(str(side.language), limit=80)}" if side.language else ""
        where = f"  {plain(side.path, limit=200)}" if side.path else ""
        yield Text(f"{shown(name)[:MAX_CELL]:>20}  {side.n} conversations{who}{spoken}{where}")
    for warning in warnings(comparison):
        yield Text(f"warning: {shown(warning)}", style="yellow")
    for table in tables(comparison):
        yield from _blocks(table, width)
    yield Text("\n" + "\n".join(map(shown, sentences(comparison))), style="bold")
    yield Text("\n".join(limits()), style="dim")


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
