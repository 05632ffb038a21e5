"""Containers: what turns a path into records, parsed JSON values with their places, whatever they mean.

``open_records(path)`` tells by a file's first bytes, not by its name, what holds them:

- lines, a value each (``.jsonl``, ``.ndjson``), or one JSON document, also pretty-printed, or several in a row;
- gzip and Zstandard around it, UTF-8 with or without a mark, UTF-16, UTF-32;
- a zip archive, and a folder: the records of each ``.json``, ``.jsonl`` and ``.ndjson`` file in it (of a folder also
  ``.parquet``), sorted by name;
- Parquet: an object a row, texts, numbers, times (as text), lists and structs;
- ``-``: standard input, as any of the above but a folder;
- ``hf://owner/name[:split]``: rows of a data set of the Hugging Face hub, by the package ``datasets`` where it is
  installed, out of that library's cache or by its own download.

An array is one record, whose elements are looked at where nobody knows it as a whole (``convsim.io.by_content``). All
is read within the bounds of ``convsim.io.files``: 64 MiB a line or row, 2 GiB a document, 8 GiB in all, 200,000 files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, Protocol

from convsim.errors import TranscriptError
from convsim.io.files import (
    MAX_FILE_BYTES,
    MAX_MEMBERS,
    FileLines,
    check_file,
    damage_reported,
    open_file,
    read_document,
    read_zip,
)
from convsim.io.formats.contract import Record
from convsim.io.hub import HubRows, is_hub
from convsim.io.jsonl import parse_json
from convsim.io.parquet import ParquetRows
from convsim.io.problems import MalformedError

LINE_ENDINGS = (".jsonl", ".ndjson")
DOCUMENT_ENDINGS = (".json",)
PACKED = ("", ".gz", ".zst")
JSON_ENDINGS = tuple(
    f"{ending}{packed}" for ending in (*LINE_ENDINGS, *DOCUMENT_ENDINGS) for packed in PACKED
)
PARQUET, ZIP = b"PAR1", (b"PK\x03\x04", b"PK\x05\x06")

Kind = Literal["lines", "document", "files", "rows"]
Found = Record | MalformedError
"""A record, or why a line, row or file is none, with its place."""


class Records(Protocol):
    """What ``open_records`` returns: it can be gone through once."""

    path: Path
    kind: Kind

    @property
    def sha256(self) -> str:
        """Hexadecimal, of the bytes on disk, once all records were gone through."""
        ...

    def __iter__(self) -> Iterator[Found]:
        """Yield the records in the order of the file; raises TranscriptError where it cannot go on."""
        ...


def open_records(path: Path, *, of_messages: bool = False) -> Records:
    """Tell what holds the records of a path.

    Args:
        path: A file, a folder, ``-`` or a data set of the hub.
        of_messages: Of rows, only the messages and what is no list.

    Raises:
        TranscriptError: There is nothing that can be read, or a document that is no JSON.
        MissingExtraError: It needs a package that is not installed.
    """
    if is_hub(path):
        return _Rows(path, HubRows(path))
    if path.is_dir():
        return _Folder(path)
    check_file(path)
    with damage_reported(path), open_file(path) as file:
        first = file.read(4)
    name = path.name.lower()
    if first == PARQUET or name.endswith(".parquet"):
        return _Rows(path, ParquetRows(path, of_messages=of_messages))
    if first in ZIP or name.endswith(".zip"):
        return _zipped(path)
    if name.endswith(tuple(f"{ending}{packed}" for ending in DOCUMENT_ENDINGS for packed in PACKED)):
        return _document(path)
    return _Lines(path) if _is_lines(path) else _document_or_lines(path)


class _Lines:
    """A value a line."""

    kind: Kind = "lines"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = FileLines(path)

    @property
    def sha256(self) -> str:
        return self._lines.sha256

    def __iter__(self) -> Iterator[Found]:
        for number, line in self._lines:
            try:
                yield Record(parse_json(line.rstrip()), line=number)
            except MalformedError as bad:
                bad.line = number
                yield bad


class _Values:
    """Values that were parsed already, each of a document or file."""

    def __init__(self, path: Path, sha256: str, records: Iterable[Found], *, kind: Kind) -> None:
        self.path, self.sha256, self.kind = path, sha256, kind
        self._records = records

    def __iter__(self) -> Iterator[Found]:
        yield from self._records


class _Rows:
    """An object a row."""

    kind: Kind = "rows"

    def __init__(self, path: Path, rows: ParquetRows | HubRows) -> None:
        self.path, self._rows = path, rows

    @property
    def sha256(self) -> str:
        return self._rows.sha256

    def __iter__(self) -> Iterator[Found]:
        for number, row in self._rows:
            yield MalformedError(row, line=number) if isinstance(row, str) else Record(row, line=number)


class _Folder:
    """The records of all files of a folder that hold JSON; ``sha256`` is of their names and contents."""

    kind: Kind = "files"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digest = hashlib.sha256()
        self.files = json_files(path)
        if not self.files:
            raise TranscriptError(
                path,
                f"is a folder but not a run: it has no conversations.jsonl, and no {', '.join(JSON_ENDINGS)}",
            )

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Found]:
        for file in self.files:
            place = file.relative_to(self.path).as_posix()
            try:
                records = open_records(file)
                yield from (_within(place, found) for found in records)
            except TranscriptError as error:
                yield MalformedError(error.problem, field=place, line=error.line)
                continue
            self._digest.update(f"{place}\0{records.sha256}\n".encode(errors="surrogateescape"))


def json_files(folder: Path) -> list[Path]:
    """List the files of a folder that hold JSON or rows by their names, sorted, hidden ones left out.

    Raises:
        TranscriptError: There are more than are read.
    """
    files: list[Path] = []
    size = 0
    for file in folder.rglob("*"):
        if not file.name.lower().endswith((*JSON_ENDINGS, ".parquet")) or not file.is_file():
            continue
        if any(part.startswith((".", "__MACOSX")) for part in file.relative_to(folder).parts):
            continue
        files.append(file)
        size += file.stat().st_size
        if len(files) > MAX_MEMBERS or size > MAX_FILE_BYTES:
            most = f"{MAX_MEMBERS:,} files or {MAX_FILE_BYTES >> 30} GiB"
            raise TranscriptError(folder, f"contains more than {most}, the limit")
    return sorted(files)


def _within(file: str, found: Found) -> Found:
    if isinstance(found, Record):
        return found._replace(file=file)
    return MalformedError(
        found.problem, field=f"{file}: {found.field}" if found.field else file, line=found.line
    )


def _is_lines(path: Path) -> bool:
    """Tell by the first two lines whether each holds a value of its own."""
    first, second = _two_lines(path)
    if first is None or first in (b"[", b"{", b"[{"):
        return first is None
    try:
        value = parse_json(first)
    except MalformedError:
        return second is not None and _is_json(second)
    return not isinstance(value, list) or second is not None


def _two_lines(path: Path) -> tuple[bytes | None, bytes | None]:
    lines = (line.strip() for _, line in FileLines(path))
    return next(lines, None), next(lines, None)


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(parse_json(line), dict | list)
    except MalformedError:
        return False


def _document_or_lines(path: Path) -> Records:
    """Read a document; what is none is told of by its lines."""
    try:
        return _document(path)
    except TranscriptError:
        return _Lines(path)


def _document(path: Path) -> Records:
    data, sha256 = read_document(path)
    try:
        return _Values(path, sha256, [Record(parse_json(data))], kind="document")
    except MalformedError as bad:
        if "trailing" not in bad.problem:
            raise TranscriptError(path, bad.problem) from None
    if _is_lines(path):
        return _Lines(path)
    return _Values(path, sha256, _one_behind_another(data), kind="files")


def _one_behind_another(data: bytes) -> Iterator[Found]:
    """Yield JSON values that nothing but white space divides; the first bad one is the last."""
    text = (
        data.decode()
    )  # it was parsed, up to the end of the first value, and is refused below where it is none
    decoder = json.JSONDecoder()
    place, number = 0, 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        number += 1
        try:
            _, end = decoder.raw_decode(text, place)
            yield Record(parse_json(text[place:end].encode()), field=f"value {number}")
        except MalformedError as bad:
            yield bad.inside(f"value {number}")
            return
        except (ValueError, RecursionError) as error:
            yield MalformedError(f"is not JSON: {str(error)[:100]}", field=f"value {number}")
            return
        place = end


def _zipped(path: Path) -> Records:
    members = read_zip(path, (*DOCUMENT_ENDINGS, *LINE_ENDINGS))
    name, n, data, sha256 = next(members)
    if n == 1 and name.lower().endswith(DOCUMENT_ENDINGS):
        members.close()
        try:
            return _Values(path, sha256, [Record(parse_json(data))], kind="document")
        except MalformedError as bad:
            if "trailing" not in bad.problem:
                raise TranscriptError(path, bad.problem) from None
    return _Values(path, sha256, _of_members(path), kind="files")


def _of_members(path: Path) -> Iterator[Found]:
    for name, _, data, _ in read_zip(path, (*DOCUMENT_ENDINGS, *LINE_ENDINGS)):
        for found in _of_text(name, data):
            yield _within(name, found)


def _of_text(name: str, data: bytes) -> Iterator[Found]:
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not name.lower().endswith(LINE_ENDINGS):
        try:
            yield Record(parse_json(data))
        except MalformedError as bad:
            if "trailing" in bad.problem:
                yield from _one_behind_another(data)
            else:
                yield bad
        return
    for number, line in enumerate(data.splitlines(), start=1):
        if line and not line.isspace():
            try:
                yield Record(parse_json(line), line=number)
            except MalformedError as bad:
                bad.line = number
                yield bad
