"""Rows of an Excel workbook, one at a time, by the package openpyxl where it is installed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from convsim._inputs import open_input
from convsim._text import listed, nearest
from convsim.errors import InputError, MissingExtraError, TranscriptError
from convsim.io.files import MAX_FILE_BYTES, check_unpacked, damage_reported
from convsim.io.problems import MalformedError, shown
from convsim.io.table.rows import MAX_COLUMNS, Asked, Row, Table, has_header, named, text_of

LOOKED_AT = 200
SHEET = "xl/workbook.xml"


def open_sheet(path: Path, asked: Asked) -> Table:
    """Make a table of the one sheet of a workbook that has rows, or of the one that a mapping names.

    Raises:
        TranscriptError: It is damaged, no workbook, or has no rows.
        InputError: No such sheet, or several have rows and none is named.
        MissingExtraError: openpyxl is not installed.
    """
    with _opened(path) as book:
        sheet = _chosen(path, book, asked.sheet)
    first = [cells for _, cells in islice(_cells(path, sheet), LOOKED_AT)]
    if not first:
        raise TranscriptError(path, f"sheet {shown(sheet)} has no rows")
    texts = [[text_of(cell) for cell in cells] for cells in first]
    header = has_header(texts) if asked.header is None else asked.header
    width = max(map(len, texts))
    columns, said = named([*texts[0], *[""] * (width - len(texts[0]))] if header else [""] * width)
    if header and len(first) == 1:
        raise TranscriptError(path, f"sheet {shown(sheet)} has a header but no rows")

    def rows() -> Iterator[Row]:
        found = _cells(path, sheet)
        if header:
            next(found)
        for number, (line, cells) in enumerate(found, start=1):
            if len(cells) > len(columns):
                yield Row(
                    number, line, MalformedError(f"has a cell, {shown(cells[len(columns)])}, in no column")
                )
            else:
                yield Row(number, line, dict(zip(columns, cells, strict=False)))

    return Table(path, "xlsx", columns, rows, header=header, sheet=sheet, said=tuple(said))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import openpyxl
    except ImportError:
        raise MissingExtraError(f"{path}: Excel", "excel") from None
    with damage_reported(path), open_input(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                if SHEET not in archive.namelist():
                    raise TranscriptError(path, "is a zip archive, but no workbook of Excel's")
                size = sum(info.file_size for info in archive.infolist())
            if size > MAX_FILE_BYTES:
                raise TranscriptError(
                    path, f"is larger than {MAX_FILE_BYTES >> 30} GiB unpacked, the most that is read"
                )
            check_unpacked(path, size, path.stat().st_size)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except (TranscriptError, OSError):
            raise
        except Exception as error:  # what openpyxl raises of a damaged file is anything
            raise TranscriptError(
                path, f"is not a complete workbook: {type(error).__name__}: {error}"[:200]
            ) from None
        try:
            yield book
        finally:
            book.close()


def _chosen(path: Path, book: Any, asked: str | None) -> str:
    names = [str(sheet.title) for sheet in book.worksheets]
    if asked is not None:
        if asked not in names:
            near = nearest(asked, names)
            hint = f"did you mean {shown(near)}? " if near else ""
            raise InputError(
                f"{path}: has no sheet {shown(asked)}; {hint}it has {listed([shown(name) for name in names], 20)}"
            )
        return asked
    filled = [
        name
        for name in names
        if any(map(any, book[name].iter_rows(max_row=20, max_col=50, values_only=True)))
    ]
    if len(filled) > 1:
        raise InputError(
            f"{path}: several sheets have rows: {listed([shown(name) for name in filled], 20)}; state which in a file "
            f"for --map, one line: sheet = {shown(filled[0])}"
        )
    if not filled:
        raise TranscriptError(path, "is empty: no sheet has rows")
    return filled[0]


def _cells(path: Path, sheet: str) -> Iterator[tuple[int, list[JsonValue]]]:
    """Yield each row that is not blank with its number on the sheet, empty cells at its end left out."""
    with _opened(path) as book:
        rows = book[sheet].iter_rows(values_only=True, max_col=MAX_COLUMNS + 1)
        line = 0
        while True:
            line += 1
            try:
                values = next(rows)
            except StopIteration:
                return
            except Exception as error:  # as above
                raise TranscriptError(
                    path, f"is damaged: {type(error).__name__}: {error}"[:200], line=line
                ) from None
            cells = [_plain(value) for value in values]
            while cells and cells[-1] in (None, ""):
                cells.pop()
            if len(cells) > MAX_COLUMNS:
                raise TranscriptError(
                    path, f"has more than {MAX_COLUMNS:,} columns, the most that are read", line=line
                )
            if cells:
                yield line, cells


def _plain(value: Any) -> JsonValue:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
