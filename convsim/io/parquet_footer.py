"""How many values each chunk of a column has, from the footer of a Parquet file.

pyarrow says it too, but ends the whole process where what a footer says of a chunk contradicts itself, while opening
a file and reading its rows raise errors. So a footer is gone through here, and pyarrow not asked.

Source: apache/parquet-format, ``src/main/thrift/parquet.thrift`` (FileMetaData, RowGroup, ColumnChunk, ColumnMetaData);
apache/thrift, ``doc/specs/thrift-compact-protocol.md``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

ENDING = 8
"""Bytes after the footer: its length, and ``PAR1``."""
NUM_VALUES = (4, 1, 3, 5)
"""The fields on the way to it: row_groups, columns, meta_data, num_values."""
MAX_DEPTH = 32
TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
INTEGERS = range(4, 7)


def chunk_values(file: BinaryIO) -> list[int]:
    """Return the number of values of each chunk, as the footer states it; the file's position is kept.

    Raises:
        ValueError: The footer is damaged.
    """
    here = file.tell()
    try:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - ENDING))
        length = int.from_bytes(file.read(4), "little")
        file.seek(max(0, size - ENDING - length))
        footer = file.read(length)
    finally:
        file.seek(here)
    try:
        return list(_Footer(footer).struct(()))
    except IndexError:
        raise ValueError("its footer ends too early") from None


class _Footer:
    """Goes through a struct, and yields what stands at ``NUM_VALUES``."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def struct(self, way: tuple[int, ...], depth: int = 0) -> Iterator[int]:
        """Go through the fields of a struct that was reached by way of these fields."""
        field = 0
        while header := self._byte():
            field = field + (header >> 4) if header >> 4 else self._integer()
            if header & 15 not in (TRUE, FALSE):  # which stand in the header
                yield from self._value(header & 15, (*way, field), depth + 1)

    def _value(self, kind: int, way: tuple[int, ...], depth: int) -> Iterator[int]:
        if depth > MAX_DEPTH:
            raise ValueError("its footer is nested too deeply")
        if kind in (TRUE, FALSE, BYTE):
            self._skip(1)
        elif kind in INTEGERS:
            value = self._integer()
            if way == NUM_VALUES:
                yield value
        elif kind == DOUBLE:
            self._skip(8)
        elif kind == BINARY:
            self._skip(self._number())
        elif kind in (LIST, SET):
            header = self._byte()
            for _ in range(header >> 4 if header >> 4 < 15 else self._number()):
                yield from self._value(header & 15, way, depth + 1)
        elif kind == MAP:
            n = self._number()
            kinds = self._byte() if n else 0
            for _ in range(n):
                yield from self._value(kinds >> 4, (*way, 0), depth + 1)
                yield from self._value(kinds & 15, (*way, 0), depth + 1)
        elif kind == STRUCT:
            yield from self.struct(way, depth)
        else:
            raise ValueError(f"its footer has a value of the unknown kind {kind}")

    def _skip(self, n: int) -> None:
        self._at += n
        if self._at > len(self._data):
            raise IndexError(self._at)

    def _byte(self) -> int:
        self._skip(1)
        return self._data[self._at - 1]

    def _number(self) -> int:
        number = shift = 0
        while shift < 64:
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7
        raise ValueError("its footer has a number that is too long")

    def _integer(self) -> int:
        number = self._number()
        return (number >> 1) ^ -(number & 1)
