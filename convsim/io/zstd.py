"""A stream that unpacks Zstandard, and notices when its last frame is cut off."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO

from convsim.errors import MissingExtraError

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
