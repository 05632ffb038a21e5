"""Files that one process writes at a time: locks, and logs of lines that outlive a kill."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from convsim._files import NO_LINK, unwritten
from convsim._inputs import open_input
from convsim._secrets import redact_json
from convsim.errors import InputError

LOCK = ".lock"
"""The file in a folder that is locked by whoever writes there."""


@contextmanager
def locked(path: Path, *, busy: InputError, named: Path | None = None) -> Iterator[None]:
    """Hold a lock file, which is taken away at the end; what a killed process leaves of it locks nothing.

    Args:
        path: The lock file.
        busy: What is raised where it is held already.
        named: What errors call the place, where that is not the lock file.

    Raises:
        InputError: ``busy`` where another process, or another place of this one, holds it; or it cannot be made.
    """
    number = _lock(path, busy, named or path)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(number)


def _lock(path: Path, busy: InputError, named: Path) -> int:
    while True:
        number = _open_own(path, os.O_RDWR | os.O_CREAT, named)
        try:
            _hold_alone(number, named, busy)
            # Whoever held it may have taken the file away before it could be locked: then it locks nothing.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(number), path.lstat()):
                    return number
        except BaseException:
            os.close(number)
            raise
        os.close(number)


def _hold_alone(number: int, path: Path, busy: InputError) -> None:
    """Lock an open file until it is closed.

    Raises:
        InputError: ``busy`` where somebody else has locked it; or it cannot be locked.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            raise busy from None
        raise InputError(f"{path}: cannot be locked: {error.strerror or error}") from error


def _open_own(path: Path, flags: int, named: Path) -> int:
    """Open a file that convsim keeps for itself, through no link; raises InputError."""
    try:
        number = os.open(path, flags | NO_LINK, 0o666)
    except OSError as error:
        if path.is_symlink():
            raise InputError(
                f"{path}: is a link, and convsim writes through none; put the file itself there"
            ) from None
        raise InputError(f"{named}: cannot be written: {error.strerror or error}") from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise InputError(f"{path}: cannot be written: is not a regular file")
    return number


MAX_LINE_BYTES = 64 << 20
TAIL_BYTES = 1 << 16


def whole_lines(path: Path, *, limit: int = MAX_LINE_BYTES) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number; not a half one at the end, which a killed process left.

    Raises:
        InputError: A line is longer than ``limit`` bytes.
        OSError: The file cannot be read.
    """
    with open_input(path) as file:
        number = 0
        while line := file.readline(limit + 1):
            number += 1
            if len(line) > limit:
                raise InputError(f"{path}:{number}: is longer than {limit:,} bytes, the most that is read")
            if line.endswith(b"\n"):
                yield number, line


def open_log(path: Path, *, busy: InputError | None = None) -> io.FileIO:
    """Open a file of lines to go on with, made where there is none; no link is followed, no other name written to.

    What a killed process left behind the last whole line is cut off: what is written next must not join it.

    Args:
        path: The file.
        busy: Lock the file until it is closed, and raise this where somebody else has.

    Raises:
        InputError: It cannot be written, is a link or no regular file, or has another name (a hard link).
    """
    file = io.FileIO(_open_own(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, path), "rb+")
    try:
        if os.fstat(file.fileno()).st_nlink > 1:
            raise InputError(
                f"{path}: has another name as well (a hard link), and what is appended would be there too; "
                "put a copy of the file in its place"
            )
        if busy is not None:
            _hold_alone(file.fileno(), path, busy)
        with unwritten(path):
            _cut_half_line(file)
    except BaseException:
        file.close()
        raise
    return file


def _cut_half_line(file: io.FileIO) -> None:
    length = end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - TAIL_BYTES)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < length:
        file.truncate(end)


def append_line(file: io.FileIO, line: bytes) -> None:
    """Write one line, without secrets, which a killed process keeps; where the disk does not take it all, none stays.

    Raises:
        OSError: The disk does not take it.
    """
    start = file.seek(0, os.SEEK_END)
    left = memoryview(redact_json(line.decode()).encode() + b"\n")
    try:
        while left:
            left = left[file.write(left) :]
    except BaseException:
        with suppress(OSError):
            file.truncate(start)
        raise
