"""The values of each chunk are those that pyarrow counts, and a damaged footer is an error."""

from __future__ import annotations

import io

import pyarrow
import pyarrow.parquet
import pytest

from convsim.io.parquet_footer import chunk_values


def written(table: pyarrow.Table, **settings: object) -> io.BytesIO:
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file, **settings)
    return file


NESTED = pyarrow.table(
    {
        "id": [str(n) for n in range(40)],
        "number": [float(n) for n in range(40)],
        "flag": [n % 2 == 0 for n in range(40)],
        "messages": [[{"role": "user", "content": "hi"}] * (n % 5) for n in range(40)],
    }
)


@pytest.mark.parametrize(
    "settings", [{}, {"row_group_size": 7}, {"write_page_index": True}, {"version": "1.0"}]
)
def test_values_are_those_that_pyarrow_counts(settings: dict[str, object]) -> None:
    file = written(NESTED.replace_schema_metadata({"a": "b" * 300}), **settings)
    found = pyarrow.parquet.ParquetFile(file).metadata
    groups = [found.row_group(at) for at in range(found.num_row_groups)]
    expected = [group.column(at).num_values for group in groups for at in range(group.num_columns)]
    file.seek(5)
    assert chunk_values(file) == expected
    assert sum(expected) > 5 * 40
    assert file.tell() == 5


def ending(footer: bytes) -> io.BytesIO:
    return io.BytesIO(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")


@pytest.mark.parametrize(
    ("footer", "said"),
    [
        (b"", "too early"),
        (b"\x19\xfc\xff\xff\xff\xff\x0f", "too early"),  # a list of four billion structs
        (b"\x19\xf3\xff\xff\xff\xff\x0f", "too early"),  # the same of bytes
        (b"\x18\xff\xff\xff\x7f", "too early"),  # a text that is not there
        (b"\x16" + b"\xff" * 12, "too long"),
        (b"\x19" + b"\x19" * 99, "too deeply"),
        (b"\x1c" * 99, "too deeply"),
        (b"\x1d\x00", "unknown kind 13"),
    ],
)
def test_a_damaged_footer_is_an_error(footer: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        chunk_values(ending(footer))


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1PAR1", b"PAR1\x00\x00\x00\x00PAR1"])
def test_a_file_that_is_too_short_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="its footer"):
        chunk_values(io.BytesIO(data))
