"""Rows of separated values: CSV, TSV and what is separated by ; or |, in any encoding, with their lines."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from convsim.errors import InputError, TranscriptError
from convsim.io.files import check_file
from convsim.io.problems import MalformedError, shown
from convsim.io.table.decoding import Decoding, Opened, text_lines, told
from convsim.io.table.rows import Asked, Row, Table, check_width, has_header, named

SEPARATORS = (",", ";", "\t", "|")
MAX_CELL_CHARACTERS = 8 << 20
SNIFFED_ROWS = 200
SNIFFED_CHARACTERS = 1 << 20
MOST_SHOWN = 10


def open_delimited(path: Path, opened: Opened, asked: Asked) -> Table:
    """Make a table of a file of separated values; reads all of it once, to tell its encoding and separator.

    Raises:
        TranscriptError: It is empty, has one column or no row, or bytes in several encodings.
        InputError: The mapping states what no file has.
    """
    check_file(path)
    decoding = told(path, opened, asked.encoding)
    separator = asked.separator or _separator(path, opened, decoding)
    if len(separator) != 1 or separator in '"\r\n':
        raise InputError(f"separator = {separator!r}: must be one character, such as ; or a tab")
    with opened() as file:
        reader = _Reader(path, file, decoding.encoding, separator)
        first = []
        for number, (line, cells) in enumerate(islice(reader.rows(strict=False), SNIFFED_ROWS)):
            if isinstance(cells, MalformedError):
                raise TranscriptError(
                    path, cells.problem, line=line, field=f"row {number}" if number else "the header"
                )
            first.append(cells)
    if not first:
        raise TranscriptError(
            path, "has only blank lines: expected a table with a header and a row a message"
        )
    check_width(path, len(first[0]))
    header = has_header(first) if asked.header is None else asked.header
    columns, said = named(first[0] if header else [""] * len(first[0]))
    if decoding.said:
        said = [f"{decoding.said}", *said]
    if not header and asked.header is None:
        said.append(
            "its first row is read as data, not as names of columns (header = true would change that)"
        )
    if len(columns) == 1:
        raise TranscriptError(
            path,
            f"has one column, {shown(columns[0])}: no comma, semicolon, tab or | separates its cells; "
            'state separator = "…" in a file for --map',
        )
    if header and len(first) == 1:
        raise TranscriptError(path, f"has a header ({_listed(columns)}) but no rows")

    def rows() -> Iterator[Row]:
        with opened() as file:
            reader = _Reader(path, file, decoding.encoding, separator)
            found = reader.rows(strict=True)
            if header:
                next(found)
            for number, (line, cells) in enumerate(found, start=1):
                if isinstance(cells, MalformedError):
                    yield Row(number, line, cells)
                elif len(cells) == len(columns):
                    yield Row(number, line, dict(zip(columns, cells, strict=True)))
                else:
                    yield Row(number, line, _ragged(columns, cells, last=reader.is_last))

    return Table(
        path, "csv", columns, rows,
        separator=separator, encoding=decoding.encoding, header=header, said=tuple(said),
    )  # fmt: skip


def _ragged(columns: Sequence[str], cells: Sequence[str], *, last: bool) -> MalformedError:
    """Say which column a row has no cell for, or which of its cells has no column."""
    there = f"has {len(cells)} cells for {len(columns)} columns"
    if len(cells) > len(columns):
        return MalformedError(f"{there}: {shown(cells[len(columns)])} is in none")
    cut = "; the file may be cut off" if last else ""
    return MalformedError(f"{there}: there is none for {shown(columns[len(cells)])}{cut}")


def _listed(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - MOST_SHOWN} more" if len(columns) > MOST_SHOWN else ""
    return ", ".join(map(shown, columns[:MOST_SHOWN])) + more


class _Reader:
    """Reads the rows of an open file, and counts lines."""

    def __init__(self, path: Path, file: Any, encoding: str, separator: str) -> None:
        self.path, self.separator = path, separator
        self.lines = text_lines(path, file, encoding)
        self.line = 0
        self.ended = False
        self._raw: list[str] = []

    def rows(self, *, strict: bool) -> Iterator[tuple[int, Any]]:
        """Yield each row that is not blank with its first line; where ``strict`` instead of a bad one what is wrong."""
        reader = csv.reader(self._counted(), delimiter=self.separator)
        with _long_cells():
            while True:
                start = self.line + 1
                self._raw.clear()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as problem:
                    yield start, MalformedError(self._why(str(problem)))
                    return
                if not any(cells):
                    continue
                if not strict:
                    yield start, cells
                elif "\0" in (said := "".join(cells)):
                    yield (
                        start,
                        MalformedError(
                            f"has a null byte in {shown(said[max(0, said.index(chr(0)) - 20) :])}"
                        ),
                    )
                elif self._is_open(cells):
                    yield (
                        start,
                        MalformedError("has a quotation mark that is never closed: the file may be cut off"),
                    )
                else:
                    yield start, cells

    @property
    def is_last(self) -> bool:
        """Tell whether the row just read is the last one, and ends without an end of line."""
        return not self._raw or not self._raw[-1].endswith("\n")

    def _counted(self) -> Iterator[str]:
        for line in self.lines:
            self.line += 1
            self._raw.append(line)
            yield line
        self.ended = True

    def _is_open(self, cells: list[str]) -> bool:
        """Tell whether the last row ends inside of quotation marks."""
        if not self.ended:
            return False
        try:
            return list(csv.reader(self._raw, delimiter=self.separator, strict=True)) != [cells]
        except csv.Error as problem:
            return "unexpected end" in str(problem)

    def _why(self, problem: str) -> str:
        if "field larger" in problem:
            return (
                f"has a cell of more than {MAX_CELL_CHARACTERS >> 20} Mi characters, the most that are read; "
                "a quotation mark may never be closed"
            )
        return f"cannot be read: {problem}"


@contextmanager
def _long_cells() -> Iterator[None]:
    before = csv.field_size_limit(MAX_CELL_CHARACTERS)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _separator(path: Path, opened: Opened, decoding: Decoding) -> str:
    """Return the separator by which most rows have as many cells as the first; raises TranscriptError."""
    with opened() as file:
        lines: list[str] = []
        size = 0
        for line in islice(text_lines(path, file, decoding.encoding), SNIFFED_ROWS * 5):
            lines.append(line)
            size += len(line)
            if size > SNIFFED_CHARACTERS:
                break
    scores = {separator: _fit(lines, separator) for separator in SEPARATORS}
    best = max(scores.values())
    equal = [separator for separator, score in scores.items() if score == best]
    if best[0] and len(equal) > 1:
        raise TranscriptError(
            path,
            f"has as many cells in each row whether {' or '.join(map(repr, equal))} separates them; state which in a "
            f"file for --map, one line: separator = {json.dumps(equal[0])}",
        )
    return equal[0]


def _fit(lines: Sequence[str], separator: str) -> tuple[float, int]:
    """Return the share of rows that have as many cells as the first one, if that is more than one, and that number."""
    counts: Counter[int] = Counter()
    first = 0
    with _long_cells():
        try:
            for cells in csv.reader(lines, delimiter=separator):
                if any(cells):
                    first = first or len(cells)
                    counts[len(cells)] += 1
        except csv.Error:
            return 0.0, 0
    # The last of them may be cut where no more lines are looked at.
    return (counts[first] / counts.total(), first) if first > 1 else (0.0, 0)
