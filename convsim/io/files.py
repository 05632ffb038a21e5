"""Opens a transcript file, packed or not, and reads it line by line or whole, within bounds."""

from __future__ import annotations

import gzip
import hashlib
import io
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from convsim.errors import TranscriptError
from convsim.io.zstd import ZstdStream

if TYPE_CHECKING:
    from hashlib import _Hash

MAX_LINE_BYTES = 64 << 20
MAX_FILE_BYTES = 8 << 30
MAX_DOCUMENT_BYTES = 2 << 30
"""A JSON document that is read whole, such as the member of a zip archive; all three count unpacked bytes."""

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
        raise TranscriptError(path, "is no regular file")


class FileLines:
    """The lines of a file, unpacked by its ending ``.gz`` or ``.zst``; ``sha256`` is of the bytes on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line that is not blank with its number; raises TranscriptError."""
        total = 0
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

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of what was read so far: of the whole file after the last line."""
        return self._digest.hexdigest()


def read_document(path: Path) -> tuple[bytes, str]:
    """Read a whole file, unpacked by its ending; return its bytes and the SHA-256 of those on disk."""
    digest = hashlib.sha256()
    with damage_reported(path), _unpacked(path, digest) as file:
        data = file.read(MAX_DOCUMENT_BYTES + 1)
    _check_size(path, len(data), MAX_DOCUMENT_BYTES)
    return data.removeprefix(BOM), digest.hexdigest()


@contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a file is read into a TranscriptError."""
    try:
        yield
    except EOFError:
        raise TranscriptError(path, "is cut off: its packed data ends too early") from None
    except zlib.error as error:
        raise TranscriptError(path, f"is damaged: {error}") from None
    except OSError as error:
        raise TranscriptError(path, f"cannot be read: {error.strerror or error}") from None


def _check_size(path: Path, size: int, limit: int) -> None:
    if size > limit:
        raise TranscriptError(path, f"is larger than {limit >> 30} GiB unpacked, the most that is read")


@contextmanager
def _unpacked(path: Path, digest: _Hash) -> Iterator[BinaryIO]:
    check_file(path)
    with path.open("rb", buffering=0) as raw:
        hashed = io.BufferedReader(_Hashed(raw, digest), BUFFER_BYTES)
        ending = path.suffix.lower()
        if ending == ".gz":
            yield io.BufferedReader(gzip.GzipFile(fileobj=hashed), BUFFER_BYTES)
        elif ending == ".zst":
            yield io.BufferedReader(ZstdStream(hashed, path), BUFFER_BYTES)
        else:
            yield hashed


class _Hashed(io.RawIOBase):
    """Passes on what it reads and hashes it on the way."""

    def __init__(self, raw: io.FileIO, digest: _Hash) -> None:
        self._raw, self._digest = raw, digest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = self._raw.readinto(buffer) or 0
        self._digest.update(memoryview(buffer)[:size])
        return size
