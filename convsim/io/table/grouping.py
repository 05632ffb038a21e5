"""Puts the rows of each conversation together wherever they stand in the file, on disk where they are many."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from convsim.errors import InputError, TranscriptError
from convsim.io.problems import shown

CACHE_KIB = 64 << 10
"""Memory that the database may take; the rest lies in a temporary file that nobody else sees, and no kill leaves."""
BATCH_ROWS = 2000
MOST_IDS = 100_000
"""Numbers of conversations that are remembered at once."""
MOST_ROWS = 20_000
"""Rows of one conversation, which are put in order together."""


class Part(NamedTuple):
    """A row that became a message of a conversation."""

    number: int
    role: str
    who: str
    text: str
    key: float | None
    others: tuple[str | None, ...]


class Grouped:
    """Rows by conversation, these in the order in which they first appear."""

    def __init__(self, path: Path, n_others: int) -> None:
        self.path = path
        # Without a name it is a temporary file of SQLite's own, written only where its cache is full.
        self._database = sqlite3.connect("", isolation_level=None)
        columns = "".join(f", o{at}" for at in range(n_others))
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;"
            f"PRAGMA cache_size = -{CACHE_KIB}; BEGIN;"
            "CREATE TABLE conversations (id TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;"
            f"CREATE TABLE parts (conversation INTEGER, row INTEGER, role, who, text, key{columns});"
        )
        self._insert = f"INSERT INTO parts VALUES ({', '.join('?' * (6 + n_others))})"
        self._batch: list[tuple[object, ...]] = []
        self._numbers: dict[str, int] = {}
        self._n = 0
        self._last: tuple[str, int] = ("", -1)
        self._spread = False

    def add(self, conversation: str, part: Part) -> None:
        """Add a row; raises InputError where the disk is full."""
        if conversation != self._last[0]:
            number = self._number(conversation)
            self._spread = self._spread or number < self._last[1]
            self._last = conversation, number
        self._batch.append((self._last[1], *part[:5], *part.others))
        if len(self._batch) >= BATCH_ROWS:
            self._flush()

    def _number(self, conversation: str) -> int:
        number = self._numbers.get(conversation)
        if number is None:
            with self._reported():
                found = self._database.execute(
                    "SELECT number FROM conversations WHERE id = ?", (conversation,)
                ).fetchone()
                number = found[0] if found else self._n
                if found is None:
                    self._database.execute("INSERT INTO conversations VALUES (?, ?)", (conversation, number))
                    self._n += 1
            if len(self._numbers) >= MOST_IDS:
                self._numbers.clear()
            self._numbers[conversation] = number
        return number

    def _flush(self) -> None:
        with self._reported():
            self._database.executemany(self._insert, self._batch)
        self._batch.clear()

    def conversations(self) -> Iterator[tuple[str, Sequence[Part]]]:
        """Yield each conversation's id and its rows in the file's order; raises TranscriptError."""
        self._flush()
        order = " ORDER BY p.conversation, p.row, p.rowid" if self._spread else " ORDER BY p.rowid"
        with self._reported():
            names = self._database.execute("SELECT id FROM conversations ORDER BY number")
            rows = self._database.execute(f"SELECT * FROM parts p{order}")
            current, parts = -1, list[Part]()
            for conversation, number, role, who, text, key, *others in rows:
                if conversation != current:
                    if parts:
                        yield next(names)[0], parts
                    current, parts = conversation, []
                parts.append(Part(number, role, who, text, key, tuple(others)))
                if len(parts) > MOST_ROWS:
                    raise TranscriptError(
                        self.path,
                        f"conversation {shown(next(names)[0])} has more than {MOST_ROWS:,} rows: is another column the "
                        "conversation? State it in a file for --map, one line: columns.conversation = …",
                    )
            if parts:
                yield next(names)[0], parts

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise InputError(
                f"{self.path}: its rows cannot be put together on disk ({error}); TMPDIR names another place"
            ) from None

    def close(self) -> None:
        """Give back what was taken of memory and disk."""
        self._database.close()
