"""Opens a transcript file, packed or not, in UTF-8 or UTF-16, or standard input, and reads it within bounds."""

from __future__ import annotations

import codecs
import errno
import gc
import gzip
import hashlib
import io
import os
import stat
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
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


@contextmanager
def left_alone() -> Iterator[None]:
    """Keep the garbage collector from walking through all that there is by now, such as conversations.

    A validator that makes a hundred thousand tuples has it walk through millions of records, which hold no cycles: half
    of its time. What becomes garbage meanwhile and was there before is freed as always unless it is part of a cycle;
    that is freed at the end.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


STDIN = Path("-")
"""What standard input is called."""


@lru_cache(maxsize=1)
def _standard_input() -> tempfile._TemporaryFileWrapper[bytes]:
    """Return a file with all of standard input, which can be read again; raises OSError."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    file = tempfile.NamedTemporaryFile(prefix="convsim-")  # noqa: SIM115, it lasts as long as the process
    left = MAX_FILE_BYTES + 1
    while left and (block := sys.stdin.buffer.read(min(BUFFER_BYTES, left))):
        file.write(block)
        left -= len(block)
    if not left:
        raise OSError(errno.EFBIG, f"is larger than {MAX_FILE_BYTES >> 30} GiB, the most that is read")
    file.flush()
    return file


def open_file(path: Path) -> io.BufferedReader:
    """Open a regular file, or standard input for ``-``, from its first byte; raises OSError."""
    return open_input(path if path != STDIN else _standard_input().name)


def size_of(file: BinaryIO) -> int:
    """Return how many bytes an open file has."""
    return os.fstat(file.fileno()).st_size


ENCRYPTED = 0x1
"""The bit of a member's flags that says so."""
MAX_MEMBERS = 200_000


def read_zip(path: Path, endings: tuple[str, ...]) -> Generator[tuple[str, int, bytes, str]]:
    """Yield each member of an archive with one of these endings.

    Yields:
        Its name, how many such members there are, its bytes, and the archive's SHA-256.

    Raises:
        TranscriptError: No archive, a damaged or locked one, no such member, or one that unpacks to more than is read.
    """
    check_file(path)
    with damage_reported(path), open_file(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            with zipfile.ZipFile(file) as archive:
                members = _members(archive, path, endings)
                total = 0
                for info in members:
                    data = _read(archive, info, path, size_of(file))
                    total += len(data)
                    check_unpacked(path, total, size_of(file))
                    _check_size(path, total, MAX_FILE_BYTES)
                    yield info.filename, len(members), data, sha256
        except (zipfile.BadZipFile, UnicodeDecodeError) as error:  # the latter of a member's damaged name
            raise TranscriptError(path, f"is not a complete zip archive: {str(error)[:100]}") from None
        except NotImplementedError as error:
            raise TranscriptError(path, f"cannot be unpacked: {str(error)[:100]}") from None


def _members(archive: zipfile.ZipFile, path: Path, endings: tuple[str, ...]) -> list[zipfile.ZipInfo]:
    everything = [info for info in archive.infolist() if not info.filename.startswith("__MACOSX/")]
    members = [info for info in everything if info.filename.lower().endswith(endings)]
    if not members:
        found = ", ".join(shown(info.filename) for info in everything[:5]) or "nothing"
        raise TranscriptError(path, f"must contain a {' or '.join(endings)} file, but contains {found}")
    if len(members) > MAX_MEMBERS:
        raise TranscriptError(path, f"contains more than {MAX_MEMBERS:,} files, the limit")
    for info in members:
        if info.flag_bits & ENCRYPTED:
            raise TranscriptError(path, f"is encrypted: {shown(info.filename)} needs a password")
    return sorted(members, key=lambda info: info.filename)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, packed: int) -> bytes:
    """Read a member; what it declares is not believed, so what it unpacks to is bounded too."""
    too_large = (
        f"{shown(info.filename)} unpacks to more than {MAX_DOCUMENT_BYTES >> 30} GiB, the most that is read"
    )
    if info.file_size > MAX_DOCUMENT_BYTES:
        raise TranscriptError(path, too_large)
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
    if path == STDIN:
        return
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise TranscriptError(path, "there is no such file") from None
    except (OSError, ValueError) as error:
        raise TranscriptError(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(mode):
        raise TranscriptError(path, "is not a regular file")


class FileLines:
    """The lines of a file, unpacked by its ending or first bytes; ``sha256`` is of the bytes on disk."""

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
    """Read a whole file, unpacked by its ending or first bytes; return its bytes and the SHA-256 of those on disk."""
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
    """Return the first ``size`` bytes of a file, unpacked; none of a folder. Raises TranscriptError."""
    if path.is_dir():
        return b""
    with damage_reported(path), _unpacked(path, hashlib.sha256(), decode=False) as file:
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


GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"{\0", "utf-16-le"),
    (b"[\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
    (b"\0[", "utf-16-be"),
)
"""First bytes of what is not UTF-8; without a mark only where JSON begins so."""


def open_unpacked(path: Path) -> AbstractContextManager[BinaryIO]:
    """Open a file's bytes, unpacked but in its own encoding; raises TranscriptError."""
    return _unpacked(path, hashlib.sha256(), decode=False)


@contextmanager
def _unpacked(path: Path, digest: _Hash, *, decode: bool = True) -> Iterator[BinaryIO]:
    check_file(path)
    with open_file(path) as raw:
        file: Any = io.BufferedReader(_Hashed(raw, digest), BUFFER_BYTES)
        first, ending, hashed = file.peek(4), path.suffix.lower(), file
        if ending == ".gz" or first.startswith(GZIP):
            unpacking: io.BufferedIOBase | io.RawIOBase = gzip.GzipFile(fileobj=hashed)
            file = io.BufferedReader(_Bounded(unpacking, path, size_of(raw)), BUFFER_BYTES)
        elif ending == ".zst" or first.startswith(ZSTD):
            file = io.BufferedReader(_Bounded(ZstdStream(hashed, path), path, size_of(raw)), BUFFER_BYTES)
        if decode and (encoding := _encoding(file.peek(4))):
            file = io.BufferedReader(_Recoded(file, path, encoding), BUFFER_BYTES)
        yield file


def _encoding(first: bytes) -> str | None:
    return next((name for mark, name in ENCODINGS if first.startswith(mark)), None)


class _Recoded(io.RawIOBase):
    """Passes on text of another encoding as UTF-8."""

    def __init__(self, file: BinaryIO, path: Path, encoding: str) -> None:
        self._file, self._path, self._encoding = file, path, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._ready = memoryview(b"")
        self._is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._is_over:
            block = self._file.read(CHUNK_BYTES * 64)
            self._is_over = not block
            try:
                self._ready = memoryview(self._decoder.decode(block, self._is_over).encode())
            except UnicodeError as error:
                named = self._encoding.upper()
                raise TranscriptError(
                    self._path, f"is {named} by its first bytes, but not all of it: {str(error)[:100]}"
                ) from None
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


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
