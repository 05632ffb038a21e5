"""Tells how the bytes of a table are text: UTF-8, UTF-16 or cp1252, by all of them; what is both is refused."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from convsim._logs import MAX_LINE_BYTES
from convsim.errors import InputError, TranscriptError
from convsim.io.files import BOM, BUFFER_BYTES, MAX_FILE_BYTES

MIXED = "mixed"
"""Each line by itself: UTF-8 where it can be, else cp1252."""
UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
UNDEFINED = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
"""Bytes that cp1252 has no character for: with them it is Latin-1."""
MOST_ACCENTED = 0.12
"""Bytes beyond ASCII of a text that can be Western: French has 0.05 of them, Russian or Chinese most of them."""
HEAD_BYTES = 1 << 16
Opened = Callable[[], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True)
class Decoding:
    """How a file's bytes are read; ``said`` is what its owner should know of it, if anything."""

    encoding: str
    said: str | None = None


def told(path: Path, opened: Opened, asked: str | None) -> Decoding:
    """Read a whole file once, and tell its encoding.

    Args:
        path: As errors call it.
        opened: Opens the file's bytes, unpacked.
        asked: The encoding that a mapping states.

    Raises:
        TranscriptError: It is empty, too large, in several encodings, or in none that can be told.
        InputError: An encoding that is not known.
    """
    if asked is not None:
        _check_known(asked)
    decoder = codecs.getincrementaldecoder("utf-8")()
    head, total, beyond, is_utf8 = b"", 0, 0, True
    with opened() as file:
        while block := file.read(BUFFER_BYTES):
            head = head or block[:HEAD_BYTES]
            total += len(block)
            if total > MAX_FILE_BYTES:
                raise TranscriptError(
                    path, f"is larger than {MAX_FILE_BYTES >> 30} GiB, the most that is read"
                )
            if not block.isascii():
                beyond += len(block.translate(None, bytes(range(128))))
            is_utf8 = is_utf8 and _decodes(decoder, block)
        is_utf8 = is_utf8 and _decodes(decoder, b"", final=True)
    if not total:
        raise TranscriptError(path, "is empty: expected a table with a header and a row a message")
    if asked is not None:
        return Decoding(asked)
    wide = UTF_16.get(head[:2]) or _wide(head)
    if wide is not None:
        return Decoding(wide, f"is read as {wide.upper()}")
    if is_utf8:
        return Decoding("utf-8")
    return _western(path, opened, accented=beyond / total)


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _check_known(encoding: str) -> None:
    try:
        is_text = encoding == MIXED or codecs.lookup(encoding)._is_text_encoding
    except (LookupError, ValueError):
        is_text = False
    if not is_text:
        raise InputError(
            f'encoding = "{encoding}": no such encoding; known are utf-8, cp1252, gb18030, mixed, …'
        )


def _wide(head: bytes) -> str | None:
    """Tell UTF-16 without its mark by its null bytes: every other one of what is mostly ASCII."""
    half = len(head) // 2
    if half < 4:
        return None
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[start::2].count(0) > half * 0.3 and not head[1 - start :: 2].count(0):
            return name
    return None


def _western(path: Path, opened: Opened, *, accented: float) -> Decoding:
    """Tell cp1252 from a file in several encodings and from what is not Western; raises TranscriptError."""
    n_utf8 = first_other = number = 0
    found: set[int] = set()
    with opened() as file:
        for number, line in _raw_lines(path, file):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as problem:
                first_other = first_other or number
                found.update(line[problem.start :].translate(None, bytes(range(128))))
            else:
                n_utf8 += 1
    if n_utf8:
        raise TranscriptError(
            path,
            f"is not UTF-8, as {n_utf8:,} other lines are: two encodings are mixed; save it in one, or state "
            f'encoding = "{MIXED}" in a file for --map to read such lines as cp1252',
            line=first_other,
        )
    if accented > MOST_ACCENTED:
        raise TranscriptError(
            path,
            "is not UTF-8, and has too many bytes beyond ASCII to be cp1252; save it as UTF-8, or state which it is "
            'in a file for --map, such as encoding = "gb18030", "shift_jis", "cp1251"',
            line=first_other,
        )
    name = "latin-1" if found & set(UNDEFINED) else "cp1252"
    return Decoding(name, f"is not UTF-8 and is read as {name}")


def text_lines(path: Path, file: BinaryIO, encoding: str) -> Iterator[str]:
    """Yield each line of an open file as text, with its end; raises TranscriptError."""
    if encoding.startswith(("utf-16", "utf-32")):
        yield from _decoded_lines(path, file, encoding)
        return
    for number, line in _raw_lines(path, file):
        try:
            yield line.decode("utf-8" if encoding == MIXED else encoding)
        except UnicodeDecodeError as problem:
            if encoding != MIXED:
                raise TranscriptError(
                    path,
                    f"is not {encoding}: {line[problem.start]:#04x} at byte {problem.start + 1}",
                    line=number,
                ) from None
            yield line.decode("cp1252", "replace")


def _raw_lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise TranscriptError(path, f"is longer than {MAX_LINE_BYTES >> 20} MiB", line=number)
        yield number, line.removeprefix(BOM) if number == 1 else line


def _decoded_lines(path: Path, file: BinaryIO, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    number, kept = 1, ""
    while True:
        block = file.read(BUFFER_BYTES)
        try:
            text = kept + decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            raise TranscriptError(
                path, f"is not {encoding.upper()}, or ends in half a character", line=number
            ) from None
        *lines, kept = text.split("\n")
        for line in lines:
            yield (line.removeprefix("\ufeff") if number == 1 else line) + "\n"
            number += 1
        if len(kept) > MAX_LINE_BYTES:
            raise TranscriptError(path, f"is longer than {MAX_LINE_BYTES >> 20} MiB", line=number)
        if not block:
            if kept:
                yield kept.removeprefix("\ufeff") if number == 1 else kept
            return
