"""Writes conversations to a file by its ending, whole or not at all."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from convsim._files import replacing
from convsim.errors import InputError, MissingExtraError
from convsim.io.parquet import write_parquet
from convsim.io.problems import shown
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


def write(path: str | Path, conversations: Iterable[Conversation]) -> None:
    """Write conversations as convsim JSONL (``.jsonl``, ``.jsonl.gz``, ``.jsonl.zst``) or ``.parquet``.

    The same conversations give the same bytes. What stood at ``path`` is replaced at once, at the end.

    Raises:
        InputError: Another ending, no conversation, an id that stands twice, or an unwritable place.
        MissingExtraError: The ending needs a package that is not installed.
    """
    path = Path(path)
    write_to = check_target(path)
    gathered = tuple(conversations)
    _check(path, gathered)
    try:
        with replacing(path) as file:
            write_to(file, gathered)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None
    except ValueError as error:
        raise InputError(f"{path}: a conversation cannot be written as JSON: {error}") from None


Writer = Callable[[IO[bytes], Sequence[Conversation]], None]


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
    raise InputError(
        f"{path}: unknown ending; conversations are written to files ending in {', '.join(writers)}"
    )


def _check(path: Path, conversations: Sequence[Conversation]) -> None:
    if not conversations:
        raise InputError(f"{path}: there are no conversations to write")
    seen: set[str] = set()
    for conversation in conversations:
        if conversation.id in seen:
            raise InputError(f"{path}: ids must differ, but {shown(conversation.id)} occurs twice")
        seen.add(conversation.id)


def _write_lines(file: SupportsWrite[bytes], conversations: Sequence[Conversation]) -> None:
    for conversation in conversations:
        file.write(conversation.to_json().encode() + b"\n")


def _write_gzip(file: IO[bytes], conversations: Sequence[Conversation]) -> None:
    # No name and no time in the header: the same conversations give the same bytes.
    with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
        _write_lines(packed, conversations)


def _write_zstd(file: IO[bytes], conversations: Sequence[Conversation]) -> None:
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("Zstandard", "zstd") from None
    with zstandard.ZstdCompressor(write_checksum=True).stream_writer(file, closefd=False) as packed:
        _write_lines(packed, conversations)
