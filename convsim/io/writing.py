"""Writes conversations to a file by its ending, whole or not at all, and files that belong together."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from convsim._files import Content, is_stream, write_set, write_whole
from convsim._loggers import logger_of
from convsim.errors import InputError, MissingExtraError
from convsim.io.jsonl import line_of
from convsim.io.parquet import write_parquet
from convsim.io.problems import MalformedError, shown
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


LOG = logger_of("convsim.io")


def write(path: str | Path, conversations: Iterable[Conversation]) -> None:
    """Write conversations as convsim JSONL (``.jsonl``, ``.jsonl.gz``, ``.jsonl.zst``) or ``.parquet``.

    The same conversations give the same bytes. A file at ``path`` is replaced at once, at the end; a pipe or device is
    written to, as JSONL where its name has none of these endings.

    Raises:
        InputError: Another ending, no conversation, an id that stands twice, a conversation that could not be read
            again, or an unwritable place.
        MissingExtraError: The ending needs a package that is not installed.
    """
    path = Path(path)
    write_whole(path, _content(path, conversations))
    LOG.info("wrote %s", path)


def write_together(folder: Path, files: Mapping[str, Iterable[Conversation]]) -> None:
    """Write files of conversations that belong together as ``write_set`` does; raises as ``write`` does."""
    write_set(folder, {name: _content(folder / name, of) for name, of in files.items()})


def _content(path: Path, conversations: Iterable[Conversation]) -> Content:
    return partial(_write, path=path, write_to=check_target(path), conversations=conversations)


def _write(file: IO[bytes], *, path: Path, write_to: Writer, conversations: Iterable[Conversation]) -> None:
    """Write conversations as they come: no more of them are held than a writer asks for."""
    try:
        write_to(file, _checked(path, conversations))
    except MalformedError as bad:
        raise InputError(f"{path}: a conversation {bad}") from None


Writer = Callable[[IO[bytes], Iterable[Conversation]], None]


def check_target(path: Path) -> Writer:
    """Check, before anything is made to be written there, that a path names conversations in a folder that exists.

    Returns:
        What writes files of that ending.

    Raises:
        InputError: Another ending, or no such folder.
    """
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written: there is no folder {path.parent}")
    writers: dict[str, Writer] = {
        ".jsonl": _write_lines,
        ".jsonl.gz": _write_gzip,
        ".jsonl.zst": _write_zstd,
        ".parquet": write_parquet,
    }
    for ending, writer in writers.items():
        if path.name.lower().endswith(ending):
            return writer
    if is_stream(path):
        return _write_lines
    raise InputError(
        f"{path}: unknown ending; conversations are written to files ending in {', '.join(writers)}"
    )


def _checked(path: Path, conversations: Iterable[Conversation]) -> Iterator[Conversation]:
    """Pass on conversations whose ids differ; raises InputError, also where there are none."""
    seen: set[str] = set()
    for conversation in conversations:
        if conversation.id in seen:
            raise InputError(f"{path}: ids must differ, but {shown(conversation.id)} occurs twice")
        seen.add(conversation.id)
        yield conversation
    if not seen:
        raise InputError(f"{path}: there are no conversations to write")


def _write_lines(file: SupportsWrite[bytes], conversations: Iterable[Conversation]) -> None:
    for conversation in conversations:
        file.write(line_of(conversation) + b"\n")


def _write_gzip(file: IO[bytes], conversations: Iterable[Conversation]) -> None:
    # No name and no time in the header: the same conversations give the same bytes.
    with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
        _write_lines(packed, conversations)


def _write_zstd(file: IO[bytes], conversations: Iterable[Conversation]) -> None:
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("Zstandard", "zstd") from None
    with zstandard.ZstdCompressor(write_checksum=True).stream_writer(file, closefd=False) as packed:
        _write_lines(packed, conversations)
