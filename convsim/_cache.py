"""A folder of results that are worth keeping: bounded, safe between processes, and never believed unchecked.

An entry is a seal of what follows, and what follows: JSON, or arrays without pickles. One that is cut short, changed or
not there is the same to whoever asks: nothing. The seal is made with a key of the user's own, so that a folder of data
cannot bring findings of its own along.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import platform
import secrets
import stat
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path

from convsim._inputs import read_input
from convsim._loggers import logger_of
from convsim._text import one_line
from convsim.errors import InputError

LOG = logger_of("convsim.cache")
NAME = ".convsim-cache"
OFF = "CONVSIM_NO_CACHE"
"""The variable that turns it off."""
MAX_BYTES = 1 << 29
"""Of a folder; what was used longest ago goes first."""
MAX_ENTRY = MAX_BYTES // 4
IGNORED = "# Made by convsim; may be deleted at any time.\n*\n"
"""Of the folder's ``.gitignore``: what is in it can always be made again."""
DIGEST = 64
KEY, KEY_BYTES = "key", 32
ENDING = ".entry"
LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "pydantic", "py3langid", "budoux")
"""Whose numbers, words and languages, or whose writing of numbers, entries hold; the last need not be installed."""
BEGUN = time.time()
"""When this process began, nearly."""


class Cache:
    """Entries of one folder, which is made when the first one is written."""

    def __init__(self, folder: Path, *, of_user: Path, max_bytes: int = MAX_BYTES) -> None:
        """Take the folder, and the user's own, which holds the key and is used where the folder cannot be written."""
        self.folder, self._of_user, self._max_bytes = folder, of_user, max_bytes
        self._refused = False

    def read(self, key: str) -> bytes | None:
        """Return what was kept under a key; None where nothing is, or not all of it."""
        seal = self._seal
        for folder in self._folders if seal else ():
            found = _checked(folder / f"{key}{ENDING}", seal)
            if found is not None:
                return found
        return None

    def write(self, key: str, content: bytes) -> None:
        """Keep something under a key, whole or not at all; a disk that does not take it loses no more than that."""
        seal = self._seal
        if self._refused or not seal or len(content) > min(MAX_ENTRY, self._max_bytes):
            return
        for folder in self._folders:
            try:
                _prepare(folder)
                _put(folder / f"{key}{ENDING}", content, seal)
                _bound(folder, self._max_bytes)
            except OSError as error:
                LOG.info("the cache %s takes nothing: %s", folder, one_line(error))
                continue
            return
        self._refused = True

    @property
    def _folders(self) -> tuple[Path, Path]:
        return self.folder, self._of_user

    @cached_property
    def _seal(self) -> bytes:
        """The user's key; empty where there is none and none can be made, and then nothing is kept or believed."""
        try:
            return _key_in(self._of_user)
        except (OSError, InputError) as error:
            LOG.info("the cache is off: %s cannot hold its key: %s", self._of_user, one_line(error))
            return b""


def beside(path: Path) -> Cache:
    """Return the cache of a file or folder: beside it, or the user's own where nothing can be written there."""
    return Cache(path.absolute().parent / NAME, of_user=_of_user())


def _of_user() -> Path:
    import pooch

    return Path(os.environ.get("CONVSIM_CACHE") or pooch.os_cache("convsim")) / "results"


@cache
def code_digest(package: Path) -> str:
    """Return the digest of a package's sources and tables: it moves with a release, and with any change in between.

    Raises:
        OSError: They have changed since this process began, which may run them as they were.
    """
    for path in _sources(package):
        check_unchanged(path)
    return folder_digest(package)


def counted_with() -> list[str]:
    """Name whose numbers, and whose writing of numbers, is kept: libraries, Python, the processor and threads.

    The last digits of sums hang on how many threads linear algebra has, and on what it uses of a processor.
    """
    import numpy as np
    from threadpoolctl import threadpool_info

    algebra = {
        f"{each['internal_api']} {each.get('architecture')} {each['num_threads']} threads"
        for each in threadpool_info()
        if each["user_api"] == "blas"
    }
    processor = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    return [
        *(f"{name} {_version(name)}" for name in LIBRARIES),
        sys.version,
        platform.machine(),
        *sorted(algebra),
        *processor,
        os.environ.get("OMP_NUM_THREADS", ""),
    ]


@cache
def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def folder_digest(folder: Path) -> str:
    """Return the digest of the sources, tables and word lists below a folder."""
    digest = hashlib.sha256()
    for path in sorted(_sources(folder)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def check_unchanged(path: Path) -> None:
    """Check that a source is as it was when this process began, which may run it as it was; raises OSError."""
    state = path.stat()
    if max(state.st_mtime, state.st_ctime) >= BEGUN:
        raise OSError(f"{path} has changed since this process began")


def _sources(folder: Path) -> list[Path]:
    return [each for kind in ("*.py", "*.toml", "*.txt") for each in folder.rglob(kind)]


def key_of(parts: Mapping[str, object]) -> str:
    """Return the key that stands for all of these, of which each is a value of JSON; raises TypeError or ValueError."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _key_in(folder: Path) -> bytes:
    path = folder / KEY
    with suppress(FileExistsError):
        folder.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with open(number, "wb", buffering=0) as file:  # noqa: PTH123, it is open
            file.write(secrets.token_bytes(KEY_BYTES))
    if hasattr(os, "geteuid"):
        state = path.stat()
        if state.st_uid != os.geteuid() or stat.S_IMODE(state.st_mode) & 0o077:
            raise PermissionError(
                f"others may read or write {path}, or own it: whoever knows it can make findings up"
            )
    key = read_input(path, KEY_BYTES)
    return key if len(key) == KEY_BYTES else b""  # another process is about to write it


def _checked(path: Path, seal: bytes) -> bytes | None:
    try:
        held = read_input(path, MAX_ENTRY + DIGEST)
    except FileNotFoundError:
        return None
    except (OSError, InputError) as error:
        LOG.info("the cache's %s cannot be read (%s) and is not used", path.name, one_line(error))
        return None
    content = held[DIGEST:]
    if not hmac.compare_digest(held[:DIGEST], _sealed(path.name, content, seal)):
        LOG.info("the cache's %s is damaged, or somebody else's, and is not used", path.name)
        return None
    with suppress(OSError):
        os.utime(path)
    return content


def _sealed(name: str, content: bytes, seal: bytes) -> bytes:
    """Bind a content to its name, so that an entry that was renamed is no other's."""
    made = hmac.new(seal, name.encode() + b"\0", hashlib.sha256)
    made.update(content)
    return made.hexdigest().encode()


def _prepare(folder: Path) -> None:
    if folder.is_symlink():
        raise OSError("it is a link")  # what is written would land elsewhere
    folder.mkdir(parents=folder.name != NAME, exist_ok=True)
    ignored = folder / ".gitignore"
    with suppress(FileExistsError), open(ignored, "x", encoding="utf-8", newline="\n") as file:  # noqa: PTH123
        file.write(IGNORED)  # "x" follows no link that lies there


def _put(path: Path, content: bytes, seal: bytes) -> None:
    """Write beside, then rename: of two processes that write one entry, either's is whole."""
    partial = path.with_name(f"{secrets.token_hex(8)}.partial")
    try:
        number = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with open(number, "wb") as file:  # noqa: PTH123, it is open
            file.write(_sealed(path.name, content, seal))
            file.write(content)
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def _bound(folder: Path, most: int) -> None:
    """Delete what was used longest ago, until the rest takes no more than ``most`` bytes."""
    held = []
    for path in folder.iterdir():
        if path.suffix in (ENDING, ".partial"):
            with suppress(OSError):
                state = path.stat()
                held.append((state.st_mtime_ns, state.st_size, path))
    total = sum(size for _, size, _ in held)
    for _, size, path in sorted(held):
        if total <= most:
            return
        with suppress(OSError):
            path.unlink()
        total -= size
