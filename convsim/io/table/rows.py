"""The rows of a table, whatever file it is: cells by the names of their columns, one row at a time, within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import JsonValue

from convsim.errors import TranscriptError
from convsim.io.problems import MalformedError, shown
from convsim.io.table.times import NUMBER, forms_of, number_of

Kind = Literal["csv", "json", "parquet", "xlsx"]
Cells = dict[str, JsonValue]
"""A row's cells by column: texts of a delimited file, values of JSON; lists stay lists, objects are flattened."""

MAX_COLUMNS = 1000
MAX_NAME_CHARACTERS = 200
MAX_DEPTH = 3
"""Objects in objects whose keys become columns, ``author.role``; deeper ones stay one cell."""
NO_NAME = "(no name)"
REPEATED_HEADER = 0.05
"""A first row is data where this share of a column has the cell that stands in it."""


class Row(NamedTuple):
    """A row of data: its number from 1, the line that it begins on, where there are lines, and its cells or why not."""

    number: int
    line: int | None
    cells: Cells | MalformedError


@dataclass(frozen=True)
class Table:
    """A table that is ready to be read, as often as is wanted."""

    path: Path
    kind: Kind
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row]] = field(repr=False)
    separator: str | None = None
    encoding: str | None = None
    header: bool = True
    sheet: str | None = None
    said: tuple[str, ...] = ()
    """What its owner should know of how it is read."""


class Asked(NamedTuple):
    """What a mapping states of how a table is read; None is told by the file."""

    separator: str | None = None
    encoding: str | None = None
    header: bool | None = None
    sheet: str | None = None


def text_of(value: JsonValue) -> str:
    """Return a cell as text: nothing for null, ``true`` and ``false``, JSON for lists."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def flattened(record: JsonValue) -> Cells:
    """Return an object's values by column, those of objects in it under ``outer.inner``; raises MalformedError."""
    if not isinstance(record, dict):
        raise MalformedError(f"must be an object with a value for each column, but is {shown(record)}")
    cells: Cells = {}
    _flatten(record, "", cells, MAX_DEPTH)
    return cells


def _flatten(record: dict[str, JsonValue], prefix: str, cells: Cells, depth: int) -> None:
    for key, value in record.items():
        name = f"{prefix}{key}" or NO_NAME
        if isinstance(value, dict) and depth > 1:
            _flatten(value, f"{name}.", cells, depth - 1)
        else:
            cells[name] = value
        if len(cells) > MAX_COLUMNS:
            raise MalformedError(f"has more than {MAX_COLUMNS:,} columns, the most that are read")


def check_width(path: Path, n_columns: int) -> None:
    """Check that there are not too many columns; raises TranscriptError."""
    if n_columns > MAX_COLUMNS:
        raise TranscriptError(path, f"has {n_columns:,} columns; at most {MAX_COLUMNS:,} are read")


def named(header: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the names of columns, made different, and what is to be said of them."""
    names: dict[str, None] = {}
    said = []
    for place, cell in enumerate(header, start=1):
        name = " ".join(cell.split())[:MAX_NAME_CHARACTERS] or f"column {place}"
        if name in names:
            said.append(f"two columns are called {shown(name)}; column {place} is called '{name} ({place})'")
            name = f"{name} ({place})"
        names[name] = None
    return tuple(names), said


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first of some rows names the columns: it has no times, numbers or values of the others."""
    first, others = [cell.strip() for cell in rows[0]], rows[1:]
    if [number_of(cell) for cell in first] == [*range(len(first))]:
        return True
    for place, cell in enumerate(first):
        if cell and (number_of(cell) is not None or any(form != NUMBER for form in forms_of([cell]))):
            return False
        below = [row[place].strip() for row in others if place < len(row)]
        if cell and below.count(cell) > REPEATED_HEADER * len(below):
            return False
    return True


def table_of(path: Path, kind: Kind, records: Callable[[], Iterator[Any]], looked_at: int) -> Table:
    """Make a table of objects; its columns are the keys of the first ``looked_at`` ones.

    Args:
        path: The file.
        kind: What it is.
        records: Yields each value, or a MalformedError, with its line or None.
        looked_at: How many are read to know the columns.

    Raises:
        TranscriptError: There is none, or they have too many keys.
    """

    def rows() -> Iterator[Row]:
        for number, (line, value) in enumerate(records(), start=1):
            try:
                cells = value if isinstance(value, MalformedError) else flattened(value)
            except MalformedError as bad:
                cells = bad
            yield Row(number, line, cells)

    columns: dict[str, None] = {}
    bad: MalformedError | None = None
    for row in islice(rows(), looked_at):
        if isinstance(row.cells, MalformedError):
            bad = bad or row.cells
        else:
            columns.update(dict.fromkeys(row.cells))
    check_width(path, len(columns))
    if not columns:
        raise TranscriptError(
            path, f"has no row that can be read: it {bad.problem}" if bad else "is empty: it has no rows"
        )
    return Table(path, kind, tuple(columns), rows)


def bad_row(path: Path, row: Row, bad: MalformedError) -> TranscriptError:
    """Say which row cannot be read, and why."""
    field = f"row {row.number}" if bad.field is None else f"row {row.number}: {bad.field}"
    return TranscriptError(path, bad.problem, line=row.line, field=field)
