"""The one way to open what others wrote: a regular file, and no more of it than a bound; and TOML within bounds."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import tomllib
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from convsim._text import one_line
from convsim.errors import InputError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

NO_WAIT = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
MAX_TOML_BYTES = 1 << 20
MAX_KEY_PARTS = 16
"""Parts of a dotted key: a key of 20,000 takes the standard library's parser 1.7 GB."""
APART = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'{3}.*?(?:'{3}|\Z)"
    r'|"(?:\\.|[^"\\\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
"""Texts and comments of TOML, also open ones: only outside of them a dot joins the parts of a key."""
DOTTED = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MAX_KEY_PARTS}}}", re.ASCII)


def check_path(call: str, path: object) -> Path:
    """Return the path of a file or folder that a call in Python was given; raises InputError where it is none."""
    if not isinstance(path, str | Path):
        raise InputError(f"{call}: expected the path of a file or folder, but got {one_line(repr(path))}")
    return Path(path)


def open_input(path: Path | str) -> BufferedReader:
    """Open a file to be read as bytes; nothing waits for a pipe, and nothing reads a device, which never ends.

    Raises:
        OSError: It is not there, cannot be read or is no regular file; ``strerror`` says which.
    """
    number = -1
    try:
        _check_regular(os.stat(path).st_mode, path)  # noqa: PTH116, a device may do something when it is opened
        number = os.open(path, NO_WAIT)
        _check_regular(os.fstat(number).st_mode, path)
        return open(number, "rb")  # noqa: PTH123, it is open, and the caller closes it
    except BaseException as error:
        if number >= 0:
            os.close(number)
        if isinstance(error, ValueError):  # a null character
            raise OSError(errno.EINVAL, str(error), str(path)) from None
        raise


def read_input(path: Path | str, limit: int) -> bytes:
    """Read a whole file of at most ``limit`` bytes.

    Raises:
        OSError: As ``open_input``, or it is larger; whether it says so or not.
    """
    with open_input(path) as file:
        # Reading makes room for as much as it is asked for; a file of /proc is longer than it says.
        size = min(os.fstat(file.fileno()).st_size, limit) + 1
        content = file.read(size)
        if len(content) == size <= limit:
            content += file.read(limit + 1 - size)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"is larger than {amount(limit)}, the most that is read", str(path))
    return content


def amount(n_bytes: int) -> str:
    """Say a limit in its largest whole unit."""
    for shift, unit in ((30, "GiB"), (20, "MiB")):
        if n_bytes >> shift and not n_bytes % (1 << shift):
            return f"{n_bytes >> shift} {unit}"
    return f"{n_bytes:,} bytes"


def _check_regular(mode: int, path: Path | str) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "is not a regular file", str(path))


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
        InputError: No such file, no regular one, one that is too large, or one that is not TOML.
    """
    try:
        content = read_input(path, limit) if isinstance(path, Path) else path.read_bytes()
    except OSError as unread:
        reason = unread.strerror or str(unread)
        said = reason if unread.errno == errno.EFBIG else f"cannot be read: {reason}"
        raise error(f"{path}: {what} {said}") from None
    try:
        text = content.decode("utf-8")
        if DOTTED.search(APART.sub("a", text)):
            raise error(f"{path}: {what} has a key of more than {MAX_KEY_PARTS} parts")
        return tomllib.loads(text)
    except RecursionError:
        raise error(f"{path}: {what} is nested too deeply") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise error(f"{path}: {what} is not TOML: {one_line(wrong)}") from None
    except ValueError:  # Python's own limit on integers, whose words are for programmers
        raise error(
            f"{path}: {what} has a number of more than {sys.get_int_max_str_digits():,} digits"
        ) from None
