"""Opens a transcript file, packed or not, and reads it within bounds."""

from __future__ import annotations

import gc
import gzip
import hashlib
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from convsim._inputs import open_input
from convsim._logs import MAX_LINE_BYTES
from convsim._text import one_line
from convsim.errors import MissingExtraError, TranscriptError
from convsim.io.problems import shown

if TYPE_CHECKING:
    from hashlib import _Hash


@contextmanager
def bulk_load() -> Iterator[None]:
    """Pause the garbage collector, then hand what was made to its oldest generation without a walk.

    Reading 20,000 conversations takes three times as long with the collector on: records hold no cycles, so
    it finds nothing. Frozen objects of the caller's stay frozen.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


ENCRYPTED = 0x1
"""The bit of a member's flags that says so."""


def read_zip(path: Path) -> tuple[bytes, str]:
    """Read the only ``.json`` member of an archive; return its bytes and the archive's SHA-256.

    Raises:
        TranscriptError: No archive, a damaged or locked one, not exactly one such member, or one that unpacks
            to more than is read.
    """
    check_file(path)
    with damage_reported(path), open_input(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            with zipfile.ZipFile(file) as archive:
                return _read(archive, _member(archive, path), path), sha256
        except zipfile.BadZipFile as error:
            raise TranscriptError(path, f"is not a complete zip archive: {str(error)[:100]}") from None
        except NotImplementedError as error:
            raise TranscriptError(path, f"cannot be unpacked: {str(error)[:100]}") from None


def _member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [
        info
        for info in archive.infolist()
        if info.filename.lower().endswith(".json") and not info.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        found = ", ".join(shown(info.filename) for info in members[:5]) or "none"
        raise TranscriptError(path, f"must contain one .json file, but contains {found}")
    if members[0].flag_bits & ENCRYPTED:
        raise TranscriptError(path, f"is encrypted: {shown(members[0].filename)} needs a password")
    return members[0]


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> bytes:
    """Read a member; what it declares is not believed, so what it unpacks to is bounded too."""
    too_large = (
        f"{shown(info.filename)} unpacks to more than {MAX_DOCUMENT_BYTES >> 30} GiB, the most that is read"
    )
    if info.file_size > MAX_DOCUMENT_BYTES:
        raise TranscriptError(path, too_large)
    packed = path.stat().st_size
    check_unpacked(path, info.file_size, packed)
    most = min(MAX_DOCUMENT_BYTES, most_unpacked(packed))
    try:
        with archive.open(info) as member:
            data = member.read(most + 1)
    except (zlib.error, EOFError) as error:
        raise TranscriptError(path, f"{shown(info.filename)} is damaged: {error}") from None
    if len(data) > MAX_DOCUMENT_BYTES:
        raise TranscriptError(path, too_large)
    check_unpacked(path, len(data), packed)
    return data


MOST_TIMES = 250
"""How much larger packed text may be once it is unpacked: conversations are packed to a fifth or a twentieth."""
FREE_BYTES = 32 << 20
"""What may be unpacked whatever the file's size."""


def most_unpacked(packed: int) -> int:
    """Return how many bytes may be unpacked from a file, or a part of one, of ``packed`` bytes."""
    return max(FREE_BYTES, MOST_TIMES * packed)


def check_unpacked(path: Path, unpacked: int, packed: int) -> None:
    """Check that what was packed has not grown as only what was made for it does; raises TranscriptError."""
    if unpacked > most_unpacked(packed):
        raise TranscriptError(
            path, f"unpacks to more than {MOST_TIMES} times its size, as no conversations do"
        )


CHUNK_BYTES = 1024
"""Small, since one packed kilobyte may unpack to tens of megabytes."""


class ZstdStream(io.RawIOBase):
    """Unpacks the frames of ``packed`` one after the other.

    ``zstandard``'s own stream reader ends without complaint where a frame is cut off.
    """

    def __init__(self, packed: BinaryIO, path: Path) -> None:
        try:
            import zstandard
        except ImportError:
            raise MissingExtraError(f"{path}: Zstandard", "zstd") from None
        self._packed, self._library = packed, zstandard
        self._frame: Any = None
        self._left = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer``; raises EOFError on a cut frame and OSError on a damaged one."""
        while not self._ready:
            packed = self._left or self._packed.read(CHUNK_BYTES)
            if not packed:
                if self._frame is not None:
                    raise EOFError
                return 0
            self._ready = memoryview(self._unpack(packed))
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _unpack(self, packed: bytes) -> bytes:
        self._frame = self._frame or self._library.ZstdDecompressor().decompressobj()
        try:
            data: bytes = self._frame.decompress(packed)
        except self._library.ZstdError as error:
            raise OSError(f"the Zstandard data is damaged: {error}") from None
        self._left = b""
        if self._frame.eof:
            self._left, self._frame = self._frame.unused_data, None
        return data


MAX_FILE_BYTES = 8 << 30
MAX_DOCUMENT_BYTES = 2 << 30
"""A JSON document that is read whole, such as the member of a zip archive; all three count unpacked bytes."""

MAX_BLANK_LINES = 1_000_000
BUFFER_BYTES = 1 << 20
BOM = b"\xef\xbb\xbf"


def check_file(path: Path) -> None:
    """Check that ``path`` is a file that exists; raises TranscriptError."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise TranscriptError(path, "there is no such file") from None
    except (OSError, ValueError) as error:
        raise TranscriptError(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(mode):
        raise TranscriptError(path, "is not a regular file")


class FileLines:
    """The lines of a file, unpacked by its ending ``.gz`` or ``.zst``; ``sha256`` is of the bytes on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line that is not blank with its number; raises TranscriptError."""
        total = blank = 0
        with damage_reported(self.path), _unpacked(self.path, self._digest) as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                total += len(line)
                if len(line) > MAX_LINE_BYTES:
                    raise TranscriptError(
                        self.path, f"is longer than {MAX_LINE_BYTES >> 20} MiB", line=number
                    )
                _check_size(self.path, total, MAX_FILE_BYTES)
                if number == 1:
                    line = line.removeprefix(BOM)
                if line and not line.isspace():
                    yield number, line
                elif (blank := blank + 1) > MAX_BLANK_LINES:
                    raise TranscriptError(
                        self.path, f"has more than {MAX_BLANK_LINES:,} blank lines", line=number
                    )

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of what was read so far: of the whole file after the last line."""
        return self._digest.hexdigest()


def read_document(path: Path) -> tuple[bytes, str]:
    """Read a whole file, unpacked by its ending; return its bytes and the SHA-256 of those on disk."""
    digest = hashlib.sha256()
    with damage_reported(path), _unpacked(path, digest) as file:
        data = _at_most(file, MAX_DOCUMENT_BYTES + 1)
    _check_size(path, len(data), MAX_DOCUMENT_BYTES)
    return data.removeprefix(BOM), digest.hexdigest()


def _at_most(file: BinaryIO, size: int) -> bytes:
    """Read up to ``size`` bytes; a file's own ``read`` makes room for all of them, however few there are."""
    blocks, left = [], size
    while left and (block := file.read(min(BUFFER_BYTES, left))):
        blocks.append(block)
        left -= len(block)
    return b"".join(blocks)


def read_head(path: Path, size: int) -> bytes:
    """Return the first ``size`` bytes of a file, unpacked by its ending; none of a folder. Raises TranscriptError."""
    if path.is_dir():
        return b""
    with damage_reported(path), _unpacked(path, hashlib.sha256()) as file:
        return file.read(size)


@contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a file is read into a TranscriptError."""
    try:
        yield
    except EOFError:
        raise TranscriptError(path, "is truncated: its compressed data end too early") from None
    except zlib.error as error:
        raise TranscriptError(path, f"is damaged: {error}") from None
    except OSError as error:
        raise TranscriptError(path, f"cannot be read: {error.strerror or one_line(error)}") from None


def _check_size(path: Path, size: int, limit: int) -> None:
    if size > limit:
        raise TranscriptError(path, f"is larger than {limit >> 30} GiB unpacked, the most that is read")


@contextmanager
def _unpacked(path: Path, digest: _Hash) -> Iterator[BinaryIO]:
    check_file(path)
    with open_input(path) as raw:
        size = os.fstat(raw.fileno()).st_size
        hashed = io.BufferedReader(_Hashed(raw, digest), BUFFER_BYTES)
        ending = path.suffix.lower()
        if ending == ".gz":
            yield io.BufferedReader(_Bounded(gzip.GzipFile(fileobj=hashed), path, size), BUFFER_BYTES)
        elif ending == ".zst":
            yield io.BufferedReader(_Bounded(ZstdStream(hashed, path), path, size), BUFFER_BYTES)
        else:
            yield hashed


class _Bounded(io.RawIOBase):
    """Passes on what is unpacked as long as it is not far more than was packed."""

    def __init__(self, unpacking: io.BufferedIOBase | io.RawIOBase, path: Path, packed: int) -> None:
        self._unpacking, self._path, self._packed = unpacking, path, packed
        self._total = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = self._unpacking.readinto(buffer) or 0
        self._total += size
        check_unpacked(self._path, self._total, self._packed)
        return size


class _Hashed(io.RawIOBase):
    """Passes on what it reads and hashes it on the way."""

    def __init__(self, raw: io.BufferedReader, digest: _Hash) -> None:
        self._raw, self._digest = raw, digest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = self._raw.readinto(buffer) or 0
        self._digest.update(memoryview(buffer)[:size])
        return size
