"""Imports a table: its columns guessed, its rows put together, conversations made, and every row accounted for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from convsim._progress import Step, step
from convsim.errors import TranscriptError
from convsim.io.files import damage_reported
from convsim.io.problems import MalformedError
from convsim.io.table.account import EMPTY, IGNORED, NO_CONVERSATION, UNREADABLE, Account
from convsim.io.table.building import BESIDE, Builder
from convsim.io.table.grouping import Grouped, Part
from convsim.io.table.guessing import Guess, guess
from convsim.io.table.mapping import ANY, TableMapping
from convsim.io.table.opening import open_table
from convsim.io.table.rows import Cells, bad_row, text_of
from convsim.io.table.times import NUMBER, Key, key_of
from convsim.schema.conversation import Conversation

MANY = {"messages", "user_text", "agent_text"}
"""Meanings of columns whose rows hold several messages."""
MOST_UNKNOWN = 1000
MOST_KEPT = 100
SHOWN_EVERY = 5_000
"""Rows, after which it is said how many have been read."""
"""Columns that become metadata."""


@dataclass
class TableImport:
    """A table whose rows have been put together, and are made into conversations as they are asked for."""

    guess: Guess
    account: Account
    _grouped: Grouped = field(repr=False)
    _builder: Builder = field(repr=False)

    @property
    def mapping(self) -> TableMapping:
        """How the table was read, with nothing left to be guessed."""
        return self.guess.mapping

    def conversations(self) -> Iterator[Conversation]:
        """Yield the conversations, in the order in which they begin in the file; once.

        Raises:
            TranscriptError: At the end, where too much was lost: no message of one side, or too many empty ones.
        """
        for id, parts in self._grouped.conversations():
            yield self._builder.conversation(id, parts)
        self.account.check()


def prepared(path: Path, mapping: TableMapping | None = None, *, skip_bad: bool = False) -> Guess:
    """Tell what the columns of a table mean, by its first rows.

    Args:
        path: Separated values, rows of JSON, Parquet or Excel.
        mapping: What is known of its columns; the rest is guessed.
        skip_bad: Say nothing of rows that cannot be read where the others tell too little.

    Raises:
        TranscriptError: The file cannot be read: file, line or row, column.
        InputError: What a column means cannot be told, or the mapping does not fit.
        MissingExtraError: The file needs a package that is not installed.
    """
    mapping = mapping or TableMapping()
    return guess(open_table(path, mapping), mapping, skip_bad=skip_bad)


@contextmanager
def table_import(found: Guess, *, skip_bad: bool = False) -> Iterator[TableImport]:
    """Put the rows of a table together, in bounded memory: what does not fit lies in a temporary file.

    Args:
        found: The table, and what its columns mean.
        skip_bad: Count rows that cannot be read instead of stopping at the first.

    Yields:
        What makes the conversations.

    Raises:
        TranscriptError: A row cannot be read: file, line, row, column; or it is not known who somebody is.
        InputError: The disk is full.
    """
    path = found.table.path
    account = Account(path, unit="messages" if MANY & found.mapping.columns.stated().keys() else "rows")
    columns = _beside(found)
    grouped = Grouped(path, len(columns))
    try:
        packed, unpacked = _packing(found)
        with damage_reported(path), step(f"reading rows of {path.name}", unit="rows") as at:
            _Taking(found, account, grouped, columns, packed).take_all(at, skip_bad=skip_bad)
        account.check_speakers(str(found.mapping.columns.speaker))
        provenance = hashlib.sha256(found.mapping.to_toml(path).encode()).hexdigest()[:16]
        builder = Builder(found.mapping, columns, found.constant, account, unpacked, path.name, provenance)
        yield TableImport(found, account, grouped, builder)
    finally:
        grouped.close()


def _beside(found: Guess) -> tuple[str, ...]:
    """Return the columns whose cells are kept beside messages."""
    columns = found.mapping.columns
    stated = columns.stated()
    kept = list(columns.keep or ())
    if len(kept) > MOST_KEPT:
        found.said.append(
            f"{len(kept) - MOST_KEPT} columns are left out: at most {MOST_KEPT} become metadata"
        )
        kept = kept[:MOST_KEPT]
    return tuple(dict.fromkeys([*(stated[meaning] for meaning in BESIDE if meaning in stated), *kept]))


def _packing(found: Guess) -> tuple[Callable[[JsonValue], str | None], Callable[[str | None], JsonValue]]:
    """Return how cells are kept: texts as they are, values of JSON as JSON."""
    if found.table.kind == "csv" and "messages" not in found.mapping.columns.stated():
        return lambda cell: str(cell) if cell else None, lambda kept: kept
    return (
        lambda cell: None if cell in (None, "") else json.dumps(cell, ensure_ascii=False),
        lambda kept: None if kept is None else json.loads(kept),
    )


class _Taking:
    """Takes the rows of a table one by one."""

    def __init__(
        self,
        found: Guess,
        account: Account,
        grouped: Grouped,
        columns: tuple[str, ...],
        packed: Callable[[JsonValue], str | None],
    ) -> None:
        names = found.mapping.columns
        self.table, self.account, self.grouped = found.table, account, grouped
        self.columns, self.packed = columns, packed
        self.conversation, self.order = str(names.conversation), names.order
        self.speaker, self.text, self.items = str(names.speaker), str(names.text), names.items
        self.roles = found.mapping.speakers
        self.known = None if self.table.kind in ("csv", "xlsx") else frozenset(self.table.columns)
        self.key: Key = key_of(found.mapping.order.form or NUMBER)

    def take_all(self, at: Step, *, skip_bad: bool) -> None:
        """Put all rows where they belong; raises TranscriptError at one that cannot be read, or counts it."""
        first: TranscriptError | None = None
        number = 0
        for row in self.table.rows():
            if row.number != number:
                number = row.number
                self.account.rows += 1
                if not self.account.rows % SHOWN_EVERY:
                    at.at(self.account.rows)
            if isinstance(row.cells, MalformedError):
                error = bad_row(self.table.path, row, row.cells)
                if not skip_bad:
                    raise error
                first = first or error
                self.account.dropped[UNREADABLE] += 1
            else:
                self._take(row.number, row.cells)
        if first is not None:
            self.account.notes[f"{{n}} rows could not be read; the first: {first}"] += self.account.dropped[
                UNREADABLE
            ]

    def _take(self, number: int, cells: Cells) -> None:
        if self.known is not None and (later := cells.keys() - self.known):
            keys, new = self.account.later_keys, min(later)
            keys[new if new in keys or len(keys) < MOST_UNKNOWN else next(iter(keys))] += 1
        conversation = text_of(cells.get(self.conversation)).strip()
        if not conversation:
            self.account.dropped[NO_CONVERSATION] += 1
            return
        who = text_of(cells.get(self.speaker))
        role = self.roles.get(who) or self.roles.get(who := who.strip()) or self.roles.get(ANY)
        if role is None:
            unknown = self.account.unknown_speakers
            if who in unknown or len(unknown) < MOST_UNKNOWN:
                unknown[who] += 1
            return
        if role == "ignore":
            self.account.dropped[IGNORED] += 1
            return
        role = "assistant" if role == "agent" else role
        text = text_of(cells.get(self.text))
        if (not text or text.isspace()) and not (
            role == "assistant" and self.items and cells.get(self.items)
        ):
            self.account.dropped[EMPTY] += 1
            self.account.empty_of[role] += 1
            return
        key = self.key(text_of(cells.get(self.order))) if self.order is not None else None
        others = tuple([self.packed(cells.get(column)) for column in self.columns])
        self.grouped.add(conversation, Part(number, role, who, text, key, others))
