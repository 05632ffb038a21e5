"""The file that keeps a blind test: SQLite in WAL mode, one study a file, opened by several arenas at once or none."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from convsim._text import complaint, one_line
from convsim.errors import InputError
from convsim.web.blind_test.study import ArenaStudy
from convsim.web.sqlite import plain_errors

APPLICATION = 0x636E7661
"""``application_id`` of the file, "cnva": says that it is ours."""
VERSION = 1
OPTION = "--database"
WAIT_S = 5.0
"""Seconds to wait for another writer."""
MAX_TABLES = 100
LISTED = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"
ODD = {
    "rater": "typeof(name) != 'text' OR typeof(folded) != 'text' OR typeof(secret) != 'text'",
    "answer": (
        "typeof(rater) != 'integer' OR typeof(trial) != 'integer' OR trial NOT BETWEEN 0 AND :n_trials - 1 "
        "OR typeof(answered_at) != 'text' "
        "OR NOT (choice IS NULL AND confidence IS NULL OR choice IN (:first, :second) "
        "AND typeof(confidence) = 'integer' AND confidence BETWEEN 1 AND 4) "
        "OR NOT (human_left IS NULL OR typeof(human_left) = 'integer' AND human_left IN (0, 1))"
    ),
    "word": (
        "typeof(answer) != 'integer' OR typeof(side) != 'integer' OR side NOT IN (0, 1) "
        "OR typeof(message) != 'integer' OR message < 0 OR typeof(word) != 'integer' OR word < 0"
    ),
}
"""By table, what is true of no row that an arena has written."""


@dataclass(frozen=True)
class Database:
    """A blind test's file; every use opens a connection of its own, so that threads share none."""

    path: Path
    wait_s: float = WAIT_S

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open a connection.

        Raises:
            ConvsimError: The file is locked, damaged or cannot be opened.
        """
        if self.path.exists() and not self.path.is_file():
            raise InputError(f"{self.path}: is no regular file, so no database; name another --database")
        with plain_errors(self.path, OPTION):
            connection = sqlite3.connect(self._address(), timeout=self.wait_s, isolation_level=None, uri=True)
            try:
                connection.execute("PRAGMA foreign_keys = ON")
                # An answer that a rater saw accepted outlives a power cut.
                connection.execute("PRAGMA synchronous = FULL")
                yield connection
            finally:
                connection.close()

    def _address(self) -> str:
        """Return the file's address; where nobody can write beside it, it is read as it lies there.

        SQLite would make files of its own beside it even to read, and what such a file holds must not be left out.
        """
        path = self.path.absolute()
        if os.access(path.parent, os.W_OK) or path.with_name(f"{path.name}-wal").exists():
            return path.as_uri()
        return f"{path.as_uri()}?mode=ro&immutable=1"

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open a connection in a transaction that is kept whole or not at all; raises ConvsimError."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def open_for(self, study: ArenaStudy) -> ArenaStudy:
        """Make the file for a study, or open it where it holds that study already; return the study it holds.

        Raises:
            InputError: It holds another study (the message names what differs), or is not an arena's file.
            ConvsimError: It is locked, damaged, or cannot be made.
        """
        with self.reading() as connection:
            self._made(connection)  # before anything of another program's file is changed
            connection.execute("PRAGMA journal_mode = WAL")
        with self.writing() as connection:
            if not self._made(connection):
                _make(connection, study)
        kept = self.study()
        if changed := [name for name, value in study.plan.items() if kept.plan.get(name) != value]:
            raise InputError(
                f"{self.path} belongs to another study: {', '.join(changed)} "
                f"{'differs' if len(changed) == 1 else 'differ'}; name another --database, or ask for the same"
            )
        return kept

    def study(self) -> ArenaStudy:
        """Return the study that the file holds.

        Raises:
            InputError: There is no such file, or it is no file of an arena.
            ConvsimError: It is locked or damaged.
        """
        if not self.path.exists():
            raise InputError(f"{self.path}: there is no such database; convsim arena REAL SIM makes it")
        with self.reading() as connection:
            if not self._made(connection):
                raise InputError(f"{self.path}: holds no study yet; convsim arena REAL SIM makes it")
            sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if sound != "ok":
                raise self._damaged(one_line(sound))
            document = connection.execute("SELECT document FROM study").fetchone()
            if document is None or not isinstance(document[0], str):
                raise self._damaged("it has no study")
            try:
                study = ArenaStudy.model_validate_json(document[0])
            except ValidationError as error:
                raise self._damaged(f"its study cannot be read: {complaint(error)}") from error
            answers = {
                "n_trials": len(study.trials),
                "first": "human" if study.mode == "single" else "left",
                "second": "simulated" if study.mode == "single" else "right",
            }
            for table, odd in ODD.items():
                found = connection.execute(f"SELECT count(*) FROM {table} WHERE {odd}", answers).fetchone()[0]
                if found or connection.execute(f"PRAGMA foreign_key_check({table})").fetchone():
                    raise self._damaged(f"its table {table} has rows that no arena writes")
        return study

    def _damaged(self, what: str) -> InputError:
        return InputError(
            f"{self.path}: the database is damaged or was edited ({what}); restore it from a copy"
        )

    def _made(self, connection: sqlite3.Connection) -> bool:
        """Tell whether the file holds a study; an empty one does not, another program's is an error."""
        with _one_moment(connection):
            application, version, n_tables = (
                connection.execute(question).fetchone()[0]
                for question in (
                    "PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master",
                )
            )  # fmt: skip
            is_ours = (application, version) == (APPLICATION, VERSION)
            # A view in place of a table may never end.
            if is_ours and (n_tables > MAX_TABLES or set(connection.execute(LISTED)) != _tables()):
                raise self._damaged("it has other tables than an arena makes")
        if is_ours:
            return True
        if application == APPLICATION:
            raise InputError(
                f"{self.path}: was made by another version of convsim (schema {version}, this one writes {VERSION}); "
                "name another --database"
            )
        if n_tables or application:
            raise InputError(f"{self.path}: is a database of another program; name another --database")
        return False


@contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """Let what is read belong together: another process may make the file between two questions."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.rollback()


@cache
def _schema() -> tuple[str, ...]:
    schema = files("convsim.web.blind_test").joinpath("schema.sql").read_text(encoding="utf-8")
    return tuple(schema.split(";\n"))


@cache
def _tables() -> frozenset[tuple[str, ...]]:
    """Return what ``LISTED`` yields of a file that an arena has made."""
    connection = sqlite3.connect(":memory:")
    try:
        for statement in _schema():
            connection.execute(statement)
        return frozenset(connection.execute(LISTED))
    finally:
        connection.close()


def _make(connection: sqlite3.Connection, study: ArenaStudy) -> None:
    """Fill an empty file, within the transaction that is open: half of it never stands there."""
    for statement in _schema():
        connection.execute(statement)
    connection.execute(
        "INSERT INTO study VALUES (1, ?, ?)",
        (study.fingerprint, study.model_dump_json(exclude_defaults=True)),
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
