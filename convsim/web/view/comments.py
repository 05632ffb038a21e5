"""Comments on conversations: a SQLite file that is made with the first of them, and may be shared by several pages."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from convsim.errors import InputError
from convsim.io import MANIFEST
from convsim.web.sqlite import plain_errors

APPLICATION = 0x636E7677
"""``application_id`` of the file, "cnvw": says that it is ours."""
VERSION = 1
OPTION = "--comments"
WAIT_S = 5.0
LISTED = "SELECT type, name, sql FROM sqlite_master"
MAX_CHARACTERS = 4_000
MAX_OF_ONE = 500
"""Comments on one conversation."""


class Comment(NamedTuple):
    """One comment; ``message`` is a place from 0, None for the whole conversation."""

    number: int
    run: str
    message: int | None
    text: str
    made_at: str


@dataclass(frozen=True)
class Comments:
    """A file of comments; every use opens a connection of its own."""

    path: Path

    def check(self) -> None:
        """Check that comments can be kept there, and make nothing.

        Raises:
            InputError: The file lies in a run's folder or in none, or is not of comments.
            ConvsimError: It is locked or damaged.
        """
        folder = self.path.absolute().parent
        if not folder.is_dir():
            raise InputError(f"{OPTION} {self.path}: there is no folder {folder}")
        if (folder / MANIFEST).is_file():
            raise InputError(
                f"{OPTION} {self.path}: lies in a run's folder, which holds the run alone; name a file elsewhere"
            )
        with self._opened():
            pass

    def of(self, id: str, fingerprint: str) -> list[Comment]:
        """Return the comments on a conversation, the oldest first."""
        with self._opened() as connection:
            if connection is None:
                return []
            rows = connection.execute(
                "SELECT number, run, message, text, made_at FROM comment WHERE id = ? AND fingerprint = ? "
                "ORDER BY number LIMIT ?",
                (id, fingerprint, MAX_OF_ONE),
            ).fetchall()
        return [Comment(*row) for row in rows]

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many comments there are, by a conversation's id and fingerprint."""
        with self._opened() as connection:
            if connection is None:
                return {}
            rows = connection.execute(
                "SELECT id, fingerprint, count(*) FROM comment GROUP BY 1, 2"
            ).fetchall()
        return {(id, fingerprint): n for id, fingerprint, n in rows}

    def add(self, id: str, fingerprint: str, *, run: str, message: int | None, text: str) -> None:
        """Keep a comment.

        Raises:
            InputError: It says nothing, too much, or is one too many.
            ConvsimError: The file cannot be written.
        """
        said = text.replace("\r\n", "\n").strip()
        if not said:
            raise InputError("A comment needs words.")
        if len(said) > MAX_CHARACTERS:
            raise InputError(
                f"A comment may have {MAX_CHARACTERS:,} characters, and this one has {len(said):,}."
            )
        if len(self.of(id, fingerprint)) >= MAX_OF_ONE:
            raise InputError(f"There are {MAX_OF_ONE} comments on this conversation already.")
        with self._opened(make=True) as connection:
            assert connection is not None
            connection.execute(
                "INSERT INTO comment VALUES (NULL, ?, ?, ?, ?, ?, ?)",
                (id, fingerprint, run, message, said, datetime.now(UTC).isoformat(timespec="seconds")),
            )

    def delete(self, number: int) -> None:
        """Delete a comment; nothing where there is none of that number."""
        with self._opened() as connection:
            if connection is not None:
                connection.execute("DELETE FROM comment WHERE number = ?", (number,))

    @contextmanager
    def _opened(self, *, make: bool = False) -> Iterator[sqlite3.Connection | None]:
        """Open the file, None where there is none and none is to be made; raises ConvsimError."""
        if not (self.path.exists() or make):
            yield None
            return
        if self.path.exists() and not self.path.is_file():
            raise InputError(f"{self.path}: is no regular file, so no database; name another {OPTION}")
        with plain_errors(self.path, OPTION):
            connection = sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE" if make else "BEGIN")
                is_made = self._is_made(connection)
                if make and not is_made:
                    for statement in _schema():
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id = {APPLICATION}")
                    connection.execute(f"PRAGMA user_version = {VERSION}")
                connection.execute("COMMIT")
                yield connection if is_made or make else None
            finally:
                connection.close()

    def _is_made(self, connection: sqlite3.Connection) -> bool:
        """Tell whether the file holds comments; an empty one does not, another program's is an error."""
        application, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        tables = {tuple(row) for row in connection.execute(f"{LISTED} LIMIT 20")}
        if (application, version) == (APPLICATION, VERSION) and tables == _tables():
            return True
        if tables or application:
            raise InputError(
                f"{self.path}: is not a file of comments of this version of convsim; name another {OPTION}"
            )
        return False


def _schema() -> list[str]:
    return files("convsim.web.view").joinpath("comments.sql").read_text(encoding="utf-8").split(";\n")


def _tables() -> set[tuple[str, ...]]:
    connection = sqlite3.connect(":memory:")
    try:
        for statement in _schema():
            connection.execute(statement)
        return {tuple(row) for row in connection.execute(LISTED)}
    finally:
        connection.close()
