"""Where a command may write: one process at a time, over nobody else's files, told before anything is computed."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from convsim._files import complete_set, is_stream, write_set
from convsim._inputs import open_input
from convsim._logs import LOCK, locked
from convsim.cli import console
from convsim.errors import InputError

HEAD_BYTES = 4096
"""Of a document: its schema stands there."""


@contextmanager
def taking_file(path: Path, *, force: bool) -> Iterator[None]:
    """Keep other processes from writing to a file; a pipe or a device takes any number of writers.

    Raises:
        InputError: It is there already and ``force`` is false, another process writes to it, or its folder cannot be
            written.
    """
    if is_stream(path):
        yield
        return
    check_parent(path)
    busy = InputError(
        f"{path}: another convsim process is writing to this file; wait for it, or name another file"
    )
    # By a hash, so that a name as long as file systems take has a lock, too.
    lock = f".convsim-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.lock"
    with locked(path.with_name(lock), busy=busy, named=path):
        if os.path.lexists(path) and not force:
            raise InputError(f"{path} exists already; name another file, or replace it with --force")
        yield


def check_parent(path: Path) -> None:
    """Check that a file's folder is there; raises InputError."""
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written: expected a file name in an existing folder")


@contextmanager
def taking_folder(
    out: Path | None, names: Sequence[str] = (), *, made_before: Callable[[Path], bool], force: bool = False
) -> Iterator[None]:
    """Make the folder that ``--out`` names where it is missing, and keep other processes from writing to it.

    It is taken away at the end where nothing was written into it.

    Args:
        out: The folder; None takes none.
        names: Files that will be written.
        made_before: Tells whether the folder's files are an earlier result of the same kind, which is written anew.
        force: Replace files of anybody's.

    Raises:
        InputError: It cannot be made or written, another process writes to it, or it has files of these names that
            are no earlier result.
    """
    if out is None:
        yield
        return
    check_folder(out)
    made = [path for path in (out, *out.parents) if not path.exists()]
    try:
        make_folder(out)
        busy = InputError(
            f"--out {out}: another convsim process is writing to this folder; wait for it, or name another --out"
        )
        with locked(out / LOCK, busy=busy, named=out):
            complete_set(out)
            strange = [name for name in names if os.path.lexists(out / name)]
            if strange and not force and not made_before(out):
                raise InputError(
                    f"--out {out}: {strange[0]} is there already and was not written by this command; name another "
                    "folder, or replace it with --force"
                )
            yield
    finally:
        for path in made:
            with suppress(OSError):
                path.rmdir()


def has_schema(name: str, schema: str) -> Callable[[Path], bool]:
    """Return what tells whether the file ``name`` of a folder is a document of convsim's, such as ``findings``."""
    begins = re.compile(rb'\s*\{\s*"schema"\s*:\s*"convsim\.%b/' % re.escape(schema.encode()))

    def made_before(folder: Path) -> bool:
        path = folder / name
        try:
            if path.is_symlink() or not path.is_file():
                return False
            with open_input(path) as file:
                return begins.match(file.read(HEAD_BYTES)) is not None
        except OSError:
            return False

    return made_before


def check_folder(out: Path) -> None:
    """Check, before anything is made, that ``--out`` is a folder or can be made; raises InputError."""
    nearest = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise InputError(f"--out {out}: {nearest} is a file; expected a folder")
    if not os.access(nearest, os.W_OK):
        raise InputError(f"--out {out}: the folder {nearest} is not writable")


def make_folder(path: Path) -> Path:
    """Make the folder that ``--out`` names.

    Raises:
        InputError: It is a file, or it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {path}: the folder cannot be created ({error.strerror})") from error
    return path


def deliver(out: Path | None, files: Callable[[], Mapping[str, str]], show: Callable[[], None]) -> None:
    """Write the files of a folder all together, where one is asked for, and show the result in any case.

    On a full disk the result of the work is on screen at least.

    Args:
        out: The folder.
        files: Makes what each file holds, by its name.
        show: Prints the result.
    """
    try:
        if out:
            made = files()
            write_set(out, made)
            first, *others = made
            console.err().print(" and ".join([f"wrote {out / first}", *others]))
    except Exception:
        show()
        raise
    show()
