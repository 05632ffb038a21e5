"""The rows of a table that are looked at: its first ones, or whole conversations from all over it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from convsim.errors import TranscriptError
from convsim.io.problems import MalformedError
from convsim.io.table.profile import Column
from convsim.io.table.rows import Cells, Table, bad_row, text_of

MOST_CHARACTERS = 32 << 20
MOST_VALUES = 400
"""Values of a column whose other rows are looked for."""
MOST_GATHERED = 4000
MOST_COLUMNS = 8
MOST_ROWS = 5_000_000
FEWEST_ROWS = 1.5
"""Rows of a value, on average, for it to be what is looked for."""


def sampled(table: Table, most: int) -> list[Cells]:
    """Return the cells of the first rows that can be read, no more than ``most`` and no more than fits into memory."""
    found: list[Cells] = []
    size = 0
    good = (row.cells for row in table.rows() if not isinstance(row.cells, MalformedError))
    for cells in islice(good, most):
        found.append(cells)
        size += sum(len(cell) for cell in cells.values() if isinstance(cell, str))
        if size > MOST_CHARACTERS:
            break
    return found


def gathered_sample(table: Table, columns: Sequence[Column]) -> list[Cells] | None:
    """Return all rows of the first values of the column whose values repeat further on, if there is such a column.

    Where rows of hundreds of conversations alternate, the first ones of a file have none that belong together.
    """
    apart = [
        c
        for c in columns
        if c.filled > 0.9 and c.distinct > 0.75 * len(c.cells) and not c.texts and not c.lists
    ]
    apart = [c for c in apart if not c.forms][:MOST_COLUMNS]
    wanted = {c.name: dict.fromkeys(islice(c.counts, MOST_VALUES)) for c in apart}
    found: dict[str, list[Cells]] = {name: [] for name in wanted}
    for row in islice(table.rows(), MOST_ROWS):
        if isinstance(row.cells, MalformedError):
            continue
        for name, values in wanted.items():
            if text_of(row.cells.get(name)) in values and len(found[name]) < MOST_GATHERED:
                found[name].append(row.cells)
    best = max(found, key=lambda name: len(found[name]), default=None)
    if best is None or len(found[best]) < FEWEST_ROWS * len(wanted[best]):
        return None
    return found[best]


def bad_rows(table: Table, most: int) -> Iterator[TranscriptError]:
    """Yield what is wrong with those of the first rows that cannot be read."""
    for row in islice(table.rows(), most):
        if isinstance(row.cells, MalformedError):
            yield bad_row(table.path, row, row.cells)
