"""Opens a table by what its first bytes are, not by its name: Parquet, Excel, rows of JSON, or separated values."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from convsim.errors import TranscriptError
from convsim.io.containers import open_records
from convsim.io.files import check_file, damage_reported, open_unpacked
from convsim.io.problems import MalformedError
from convsim.io.table.delimited import open_delimited
from convsim.io.table.excel import open_sheet
from convsim.io.table.mapping import TableMapping
from convsim.io.table.rows import Asked, Kind, Table, table_of

PARQUET, ZIP = b"PAR1", b"PK\x03\x04"
HEAD_BYTES = 4096
LOOKED_AT = 2000
"""Records whose keys are a table's columns; what only later ones have is left out, and counted."""


def open_table(path: Path, mapping: TableMapping) -> Table:
    """Open a table.

    Raises:
        TranscriptError: It is no table that can be read.
        InputError: The mapping states what the file has not.
        MissingExtraError: It needs a package that is not installed.
    """
    if path.is_dir():
        raise TranscriptError(
            path, "is a folder; expected a file of rows: CSV, TSV, JSONL, JSON, Parquet or Excel"
        )
    check_file(path)
    with damage_reported(path), open_unpacked(path) as file:
        head = file.read(HEAD_BYTES)
    asked = Asked(mapping.separator, mapping.encoding, mapping.header, mapping.sheet)
    if head.startswith(ZIP) and not path.name.lower().endswith(".zip"):
        return open_sheet(path, asked)
    if head.startswith((PARQUET, ZIP)) or path.name.lower().endswith(".parquet"):
        return _of_records(path, "parquet")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") and mapping.separator is None:
        return _of_records(path, "json")
    with damage_reported(path):
        return open_delimited(path, partial(open_unpacked, path), asked)


def _of_records(path: Path, kind: Kind) -> Table:
    return table_of(path, kind, partial(_rows, path), LOOKED_AT)


def _rows(path: Path) -> Iterator[tuple[int | None, JsonValue | MalformedError]]:
    """Yield each row with its line: the records of a file, and the elements of its one list."""
    for found in open_records(path):
        if isinstance(found, MalformedError):
            yield found.line, found
            continue
        value: Any = found.value
        if isinstance(value, dict) and found.line is None:
            lists = [
                each
                for each in value.values()
                if isinstance(each, list) and any(isinstance(x, dict) for x in each)
            ]
            value = lists[0] if len(lists) == 1 else value
        for element in value if isinstance(value, list) else [value]:
            yield found.line, element
