"""Reads a table as conversations in one call, and keeps how it was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from convsim._inputs import check_path
from convsim._text import one_line
from convsim.errors import InputError
from convsim.io.table.account import Account
from convsim.io.table.guessing import Choice
from convsim.io.table.importing import prepared, table_import
from convsim.io.table.mapping import TableMapping
from convsim.io.table.records import sha256_of
from convsim.io.transcripts import Transcripts

MappingLike = TableMapping | Mapping[str, object] | Path | str
"""What columns mean: as a mapping file holds it, or the path of one."""


@dataclass(frozen=True, kw_only=True)
class TableTranscripts(Transcripts):
    """The conversations of a table, what its columns were taken for, and what became of its rows."""

    columns: tuple[Choice, ...] = field(repr=False)
    mapping: TableMapping = field(repr=False)
    """How the table was read, with nothing left to be guessed; ``mapping.to_toml(path)`` writes it down."""
    account: Account = field(repr=False)
    notes: tuple[str, ...] = field(default=(), repr=False)
    """What else was guessed."""


def read_table(
    path: Path | str, mapping: MappingLike | None = None, *, skip_bad_lines: bool = False
) -> TableTranscripts:
    """Read a table as conversations: CSV or TSV of any separator, rows of JSON, Parquet or Excel.

    A row is a message, a turn of two texts, or a whole conversation. What columns mean is guessed from what stands in
    them; ``read_table("chats.csv", {"columns": {"text": "Body"}})`` states what it is.

    Args:
        path: The table.
        mapping: What is known of its columns; the rest is guessed.
        skip_bad_lines: Count rows that cannot be read instead of stopping at the first.

    Raises:
        TranscriptError: The file or a row cannot be read, or too much of it was lost.
        InputError: What a column means cannot be told, or the mapping does not fit the table.
        MissingExtraError: The file needs a package that is not installed.
    """
    file = check_path("read_table", path)
    if isinstance(mapping, Path | str):
        mapping = TableMapping.read(Path(mapping))
    elif not isinstance(mapping, Mapping | TableMapping | None):
        raise InputError(
            f"read_table: mapping must be a mapping or the path of its file, but is {one_line(repr(mapping))}"
        )
    elif mapping is not None and not isinstance(mapping, TableMapping):
        mapping = TableMapping.of(mapping)
    found = prepared(file, mapping, skip_bad=skip_bad_lines)
    with table_import(found, skip_bad=skip_bad_lines) as imported:
        conversations = tuple(imported.conversations())
    return TableTranscripts(
        path=file, sha256=sha256_of(file), conversations=conversations, format="table",
        warnings=imported.account.warnings(), columns=tuple(found.choices), mapping=imported.mapping,
        account=imported.account, notes=tuple(found.said),
    )  # fmt: skip
