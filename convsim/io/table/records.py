"""Rows of separated values as records, for the formats whose files are tables: INSPIRED, Langfuse's exports."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path

from convsim._inputs import open_input
from convsim.io.containers import Found, Kind
from convsim.io.files import check_file, damage_reported, open_unpacked
from convsim.io.formats.contract import Record
from convsim.io.problems import MalformedError
from convsim.io.table.delimited import open_delimited
from convsim.io.table.rows import Asked


def holds_json(path: Path) -> bool:
    """Tell a file that is called a table and is none: JSON, Parquet or an archive; raises TranscriptError."""
    check_file(path)
    with damage_reported(path), open_unpacked(path) as file:
        head = file.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith((b"{", b"[", b"PAR1", b"PK\x03\x04"))


HEAD_BYTES = 256


def sha256_of(path: Path) -> str:
    """Return the hash of a table's bytes on disk, hexadecimal; raises TranscriptError where it cannot be read."""
    with damage_reported(path), open_input(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class TableRecords:
    """An object of texts a row, by the names of the columns; raises TranscriptError where it is no table."""

    kind: Kind = "rows"

    def __init__(self, path: Path) -> None:
        self.path = path
        with damage_reported(path):
            self._table = open_delimited(path, partial(open_unpacked, path), Asked())

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal, of the bytes on disk."""
        return sha256_of(self.path)

    def __iter__(self) -> Iterator[Found]:
        with damage_reported(self.path):
            for row in self._table.rows():
                if isinstance(row.cells, MalformedError):
                    row.cells.line = row.line
                    yield row.cells
                else:
                    yield Record(row.cells, line=row.line)
