"""What SQLite says of a file that people named, in one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from convsim._text import one_line
from convsim.errors import ConvsimError, InputError


@contextmanager
def plain_errors(path: Path, option: str) -> Iterator[None]:
    """Turn what SQLite raises into one line for people.

    Args:
        path: The file.
        option: What names another one.

    Raises:
        ConvsimError: The file is locked, damaged or cannot be written, and what to do.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ConvsimError(
                f"{path}: the database is locked by another program; close it there"
            ) from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise InputError(
                f"{path}: is not a database, or is damaged ({one_line(error)}); restore it or name another {option}"
            ) from error
        if code in (
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_FULL,
        ):
            raise ConvsimError(
                f"{path}: the database cannot be written ({one_line(error)}); name another {option}"
            ) from error
        if "decode to UTF-8" in str(error):  # sqlite3's own, without a code
            raise InputError(
                f"{path}: the database is damaged (text that is not UTF-8); restore it from a copy"
            ) from error
        raise ConvsimError(f"{path}: the database failed ({one_line(error)})") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: the database is damaged (text that is not UTF-8); restore it from a copy"
        ) from error
