"""Readers of formats: the built-in ones, installed ones, and any function of a path that yields conversations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from convsim._cache import NAME as CACHE
from convsim._inputs import open_input
from convsim._text import one_line
from convsim.errors import ConvsimError, PluginError, TranscriptError
from convsim.io.files import check_file, damage_reported, open_file, read_head
from convsim.io.jsonl import conversation_of
from convsim.io.problems import MalformedError, shown
from convsim.io.transcripts import Gathering, Transcripts
from convsim.lifting.targets import attribute_of, name_of
from convsim.plugins import installed, load
from convsim.schema.conversation import Conversation

HEAD_BYTES = 4096
"""What ``recognises`` is shown of a file, unpacked where it ends in ``.gz`` or ``.zst``."""

Read = Callable[[Path], object]


@runtime_checkable
class Reader(Protocol):
    """Reads one format; ``recognises(path, head) -> bool`` may tell which, by the first 4096 bytes, unpacked."""

    def read(self, path: Path, /) -> Iterable[Conversation | Mapping[str, object]] | Transcripts:
        """Yield conversations, or objects as convsim's own JSONL has them."""
        ...


ReaderLike = str | Reader | Read | type
"""A reader's name, ``module:thing``, a reader, a class of one, or a function of a path."""


@dataclass(frozen=True)
class ForeignReader:
    """Somebody's reader: whatever it does wrong is an error that names it, the file and the conversation."""

    name: str
    function: Read
    recognising: Callable[[Path, bytes], object] | None = None

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell whether the file is of this format; raises PluginError where the reader cannot say."""
        if self.recognising is None:
            return False
        try:
            return bool(self.recognising(path, head))
        except (Exception, SystemExit) as error:  # somebody else's reader
            raise PluginError(
                f"{path}: the reader {self.name} failed in recognises(): {_reason(error)}"
            ) from error

    def read(self, path: Path, *, skip_bad: bool) -> Transcripts:
        """Read a file or folder.

        Raises:
            TranscriptError: It cannot be read, a conversation is malformed or stands twice, or the reader raised.
        """
        sha256 = _hash_of(path)
        gathering = Gathering(path, skip_bad=skip_bad)
        ids: set[str] = set()
        for number, entry in enumerate(self._entries(path), start=1):
            if isinstance(entry, Transcripts):
                return entry
            gathering.take(None, partial(_conversation, entry, number, ids))
        return Transcripts(path, sha256, gathering.finish(), self.name, (), gathering.skipped)

    def _entries(self, path: Path) -> Iterator[object]:
        number = 0
        try:
            found = self.function(path)
            if isinstance(found, Transcripts):
                yield found
                return
            if isinstance(found, str | bytes | Mapping | Conversation) or not isinstance(found, Iterable):
                raise PluginError(
                    f"{path}: the reader {self.name} must return conversations, but returned "
                    f"{one_line(repr(found))}"
                )
            for entry in found:
                yield entry
                number += 1
        except (ConvsimError, GeneratorExit):
            raise
        except (Exception, SystemExit) as error:  # somebody else's reader
            after = f" after {number} conversations" if number else ""
            raise TranscriptError(path, f"the reader {self.name} raised {_reason(error)}{after}") from error


def find_foreign(wanted: object) -> ForeignReader:
    """Make a reader of an installed one's name, ``module:thing``, a function, an object with ``read`` or its class.

    Raises:
        PluginError: No such reader, or something that is none.
    """
    thing = load("readers", wanted) if isinstance(wanted, str) else wanted
    name = wanted if isinstance(wanted, str) else None
    if isinstance(thing, type):
        try:
            thing = thing()
        except (Exception, SystemExit) as error:  # somebody else's class
            raise PluginError(f"the reader {name or thing} cannot be created: {_reason(error)}") from error
    who = f"the reader {name}" if name else "the reader"
    function = attribute_of(thing, "read", who) or thing
    if not callable(function):
        raise PluginError(
            f"{one_line(repr(thing))} is not a reader: expected a function of a path, or an object with read(path)"
        )
    recognises = attribute_of(thing, "recognises", who)
    return ForeignReader(
        name=one_line(name or name_of(thing, who)),
        function=function,
        recognising=recognises if callable(recognises) else None,
    )


def recognising(path: Path, own: Iterable[str]) -> ForeignReader | None:
    """Find the installed reader that recognises a file which none of ``own`` does; None where there is none.

    Raises:
        PluginError: Several recognise it.
    """
    others = [name for name in installed("readers") if name not in set(own)]
    if not others:
        return None
    head = read_head(path, HEAD_BYTES)
    found = [reader for reader in map(find_foreign, others) if reader.recognises(path, head)]
    if len(found) > 1:
        names = " and ".join(reader.name for reader in found)
        raise PluginError(f"{path}: several readers recognise it ({names}); choose one with --reader")
    return found[0] if found else None


def reader_names(own: Iterable[str]) -> list[str]:
    """Name all readers, ``own`` first."""
    return list(dict.fromkeys([*own, *installed("readers")]))


def unknown(name: str, own: Iterable[str]) -> str:
    """Say that no reader is called so, which one is meant, and which there are."""
    names = reader_names(own)
    close = get_close_matches(name, names, n=1)
    meant = f"; did you mean {close[0]}" if close else ""
    return f"there is no reader {one_line(name)!r}{meant}; available: {', '.join(names)}; or give module:attribute"


def _conversation(entry: object, number: int, ids: set[str]) -> Conversation:
    try:
        if isinstance(entry, Mapping):
            entry = conversation_of(dict(entry))
        if not isinstance(entry, Conversation):
            raise MalformedError(f"must be a conversation or an object, but is {shown(entry)}")
        if entry.id in ids:
            raise MalformedError(f"must be unique, but {shown(entry.id)} occurs twice", field="id")
    except MalformedError as bad:
        raise bad.inside(f"conversation {number}") from None
    ids.add(entry.id)
    return entry


def _hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files of a folder with their names."""
    if not path.is_dir():
        check_file(path)
        with damage_reported(path), open_file(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    with damage_reported(path):
        parts = (each for each in path.rglob("*") if each.is_file() and each.parent.name != CACHE)
        for part in sorted(parts):
            with open_input(part) as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(
                f"{part.relative_to(path).as_posix()}\0{whole}\n".encode("utf-8", "surrogateescape")
            )
    return digest.hexdigest()


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(error)}"
