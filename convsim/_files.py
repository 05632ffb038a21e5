"""The one writer of files, whole or not at all, and of sets of files, together or not at all."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from convsim._secrets import redact_json
from convsim.errors import InputError

PARTIAL = re.compile(r"\.convsim-[0-9a-f]{16}\.(partial|set)")
"""What a file, or a folder with a set of files, is called while it is written; a killed process leaves it behind."""
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK
MAX_LINKS = 40
"""Links behind one another that Linux follows."""
DESCRIPTORS = re.compile(r"/dev/fd|/proc/(self|thread-self|\d+|\d+/task/\d+)/fd")
"""Folders in which a number is an open file of the process."""

Content = str | bytes | Callable[[IO[bytes]], object]
"""What a file is to hold: text for UTF-8, bytes, or what writes it."""


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of ``path`` at the end, once it is on disk; on any error nothing changes.

    It is written beside ``path`` under a random name. A link that stands at ``path`` is replaced, not followed; what is
    neither link nor file stays.

    Raises:
        InputError: The folder, or the disk, does not take it, or something else than a file stands there.
    """
    partial = path.with_name(f".convsim-{secrets.token_hex(8)}.partial")
    with unwritten(path):
        _check_replaceable(path)
        number = os.open(partial, NEW_FILE, 0o666)
        try:
            with open(number, "wb") as file:  # noqa: PTH123, it is open
                yield file
                file.flush()
                os.fsync(number)
            partial.replace(path)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
        sync_folder(path.parent)


@contextmanager
def writing_to(path: Path) -> Iterator[IO[bytes]]:
    """Open what a user named to be written: a pipe, a device or an open file is written to, anything else replaced.

    ``/dev/stdout``, ``/dev/null``, a FIFO and links to them stay what they are, and get everything at the end or, on
    an error, nothing.

    Raises:
        InputError: It cannot be written.
    """
    if not is_stream(path):
        with replacing(path) as file:
            yield file
        return
    with unwritten(path), tempfile.TemporaryFile() as gathered:
        yield gathered
        gathered.seek(0)
        number = _open_number(path)
        if number is None:
            number = os.open(path, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
        else:
            if sys.stdout is not None:
                sys.stdout.flush()
            number = os.dup(number)
        with open(number, "wb") as stream:  # noqa: PTH123, it is open
            shutil.copyfileobj(gathered, stream)


def write_whole(path: Path, content: Content) -> None:
    """Write what a user named, whole or not at all; text as UTF-8, without secrets.

    Raises:
        InputError: It cannot be written.
    """
    with writing_to(path) as file:
        _fill(file, content)


def append_whole(path: Path, text: str) -> None:
    """Add text, without secrets, to the end of what a user named, which may not be there; all of it or none.

    It begins on a line of its own. A pipe or a device is written to.

    Raises:
        InputError: It cannot be written.
    """
    if is_stream(path):
        write_whole(path, text)
        return
    with unwritten(path):
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        with open(number, "r+b", buffering=0) as file:  # noqa: PTH123, it is open
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise InputError(f"{path}: cannot be written: is not a regular file")
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            joins = file.read(1) not in (b"", b"\n")
            left = memoryview(f"{chr(10) if joins else ''}{redact_json(text)}".encode())
            try:
                while left:
                    left = left[file.write(left) :]
            except BaseException:
                with suppress(OSError):
                    file.truncate(end)
                raise


def is_stream(path: Path) -> bool:
    """Tell whether a path names a pipe, a device or an open file of this process: what is written to, not replaced."""
    if _open_number(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _open_number(path: Path) -> int | None:
    """Return the number of the open file that a path such as /dev/stdout, or a link to it, stands for."""
    for _ in range(MAX_LINKS):
        parent = os.path.realpath(path.parent)
        if DESCRIPTORS.fullmatch(parent) and path.name.isdecimal():
            return int(path.name) if parent in ("/dev/fd", f"/proc/{os.getpid()}/fd") else None
        try:
            path = Path(parent, path.readlink())
        except (OSError, ValueError):
            return None
    return None


def _check_replaceable(path: Path) -> None:
    """Check that a file may take the place of what is at ``path``: nothing, a file or a link.

    Raises:
        InputError: It is something else.
        OSError: It cannot be looked at.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        kind = "is a directory" if stat.S_ISDIR(mode) else "is not a regular file"
        raise InputError(f"{path}: cannot be written: {kind}")


@contextmanager
def unwritten(path: Path) -> Iterator[None]:
    """Say in one line which path the disk did not take; a reader that went away is for whoever started it."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, UnicodeEncodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be written: {reason}") from error


def sync_folder(folder: Path) -> None:
    """Let the names in a folder outlive a power cut, where its file system can promise that."""
    with suppress(OSError):
        sync_file(folder)


def sync_file(path: Path) -> None:
    """Let what others have written into a file outlive a power cut; raises OSError."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def refuse_link(path: Path) -> None:
    """Check that others, who would write through a link, are not given one; raises InputError."""
    if path.is_symlink():
        raise InputError(f"{path}: is a link, and convsim writes through none; delete it")


def _fill(file: IO[bytes], content: Content) -> None:
    if callable(content):
        content(file)
    else:
        file.write(redact_json(content).encode("utf-8") if isinstance(content, str) else content)


READY = ".convsim-set"
"""The folder of a set that is written; what is left in it belongs into the folder that it lies in."""


def write_set(folder: Path, files: Mapping[str, Content], *, stale: Collection[str] = ()) -> None:
    """Write files that belong together; at no time does a file of the new set stand beside one of the old.

    All are on disk before the first old one is touched: until then an error or a kill leaves the old set. Then the old
    ones are taken away and the new ones put there, some system calls that a kill may fall between: what stands there
    is of one set, but not all of it, until ``complete_set``, which every command that writes there calls first, puts
    the rest in place.

    Args:
        folder: Where they go; the caller holds its lock.
        files: What each is to hold, by name.
        stale: Names of files of the old set that the new one lacks.

    Raises:
        InputError: They cannot be written.
    """
    complete_set(folder)
    making = folder / f".convsim-{secrets.token_hex(8)}.set"
    for name in (*files, *stale):
        with unwritten(folder / name):
            _check_replaceable(folder / name)
    with unwritten(folder):
        making.mkdir()
    try:
        for name, content in files.items():
            with unwritten(folder / name), open(os.open(making / name, NEW_FILE, 0o666), "wb") as file:  # noqa: PTH123
                _fill(file, content)
                file.flush()
                os.fsync(file.fileno())
        sync_folder(making)
        with unwritten(folder):
            for name in stale:
                (folder / name).unlink(missing_ok=True)
            making.rename(folder / READY)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    complete_set(folder)


def complete_set(folder: Path) -> None:
    """Put into a folder what is left of a set that a killed process had written; the caller holds the folder's lock.

    Raises:
        InputError: It cannot be put there, or was not left by ``write_set``.
    """
    ready = folder / READY
    with unwritten(folder):
        for left in folder.glob(".convsim-*.set"):
            if PARTIAL.fullmatch(left.name) and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
        if not os.path.lexists(ready):
            return
        if ready.is_symlink() or not all(stat.S_ISREG(new.lstat().st_mode) for new in ready.iterdir()):
            raise InputError(f"{ready}: was not left by convsim; delete it")
        sync_folder(folder)
        names = sorted(new.name for new in ready.iterdir())
        for name in names:
            (folder / name).unlink(missing_ok=True)
        for name in names:
            (ready / name).replace(folder / name)
        sync_folder(folder)
        ready.rmdir()
