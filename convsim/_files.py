"""Files written whole or not at all, lines that outlive a kill, and TOML within bounds."""

from __future__ import annotations

import os
import re
import secrets
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from convsim._text import one_line
from convsim.errors import InputError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

PARTIAL = re.compile(r"\.convsim-[0-9a-f]{16}\.partial")
"""How a file is called that is being written; a killed process leaves it behind."""
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of ``path`` at the end, once it is on disk; on any error nothing changes.

    It is written beside ``path`` under a random name. A link that stands at ``path`` is replaced, not followed.

    Raises:
        OSError: The folder, or the disk, does not take it.
    """
    partial = path.with_name(f".convsim-{secrets.token_hex(8)}.partial")
    try:
        with open(os.open(partial, NEW_FILE, 0o666), "wb") as file:  # noqa: PTH123, it is open
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; text as UTF-8.

    Raises:
        InputError: The place cannot be written.
    """
    try:
        with replacing(path) as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error


MAX_LINE_BYTES = 64 << 20
TAIL_BYTES = 1 << 16


def whole_lines(path: Path, *, limit: int = MAX_LINE_BYTES) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number; not a half one at the end, which a killed process left.

    Raises:
        InputError: A line is longer than ``limit`` bytes.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(limit + 1):
            number += 1
            if len(line) > limit:
                raise InputError(f"{path}:{number}: is longer than {limit:,} bytes, the most that is read")
            if line.endswith(b"\n"):
                yield number, line


def cut_half_line(path: Path) -> None:
    """Cut what a killed process left behind the last whole line; what is written next must not join it."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - TAIL_BYTES)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        file.truncate(end)


def append_line(file: IO[bytes], line: bytes) -> None:
    """Write one line and flush it, so that a killed process keeps it."""
    file.write(line + b"\n")
    file.flush()


MAX_TOML_BYTES = 1 << 20


def read_toml(
    path: Path | Traversable,
    *,
    what: str = "the file",
    limit: int = MAX_TOML_BYTES,
    error: type[InputError] = InputError,
) -> dict[str, object]:
    """Read a TOML file of at most ``limit`` bytes.

    Args:
        path: The file.
        what: What it should hold, as the error's line calls it.
        limit: The most bytes that are read.
        error: What is raised.

    Raises:
        InputError: No such file, one that is too large, or one that is not TOML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (OSError, ValueError) as unread:
        reason = getattr(unread, "strerror", None) or unread
        raise error(f"{path}: {what} cannot be read: {reason}") from None
    if len(content) > limit:
        raise error(f"{path}: {what} is larger than {limit:,} bytes, the most that is read")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as wrong:
        raise error(f"{path}: {what} is not TOML: {one_line(wrong)}") from None
