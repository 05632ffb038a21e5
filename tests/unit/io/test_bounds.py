"""Small files that unpack to very much are refused before they take memory or time."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from convsim.errors import TranscriptError
from convsim.io import files, parquet, read
from tests.unit.io.made import line

GROWN = "unpacks to more than 250 times its size, as no conversations do"
MIB = 1 << 20


def bomb(path: Path, part: bytes, times: int) -> Path:
    """Write ``part`` so many times, packed by the ending of ``path``."""
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(part * times))
    elif path.suffix == ".zst":
        path.write_bytes(zstandard.ZstdCompressor().compress(part * times))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.json", part * times)
    return path


def most_memory(path: Path, said: str) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(TranscriptError, match=said):
            read(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst", "a.zip", "a.json.gz"])
def test_what_grows_as_only_a_bomb_does_is_refused(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(files, "FREE_BYTES", MIB)
    reader = bomb(tmp_path / name, b" " * MIB, 60)
    tracemalloc.start()
    with pytest.raises(TranscriptError, match=GROWN):
        read(reader, reader="convapparel" if name == "a.json.gz" else None)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 60 * MIB


def test_a_member_that_declares_less_than_it_unpacks_to_is_refused_too(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(files, "FREE_BYTES", MIB)
    path = bomb(tmp_path / "a.zip", b" " * MIB, 20)
    stated, less = (20 * MIB).to_bytes(4, "little"), (10).to_bytes(4, "little")
    data = path.read_bytes()
    assert data.count(stated) == 2
    path.write_bytes(data.replace(stated, less))
    assert most_memory(path, "damaged|not a complete|Bad CRC|250 times") < 14 * MIB


def test_conversations_that_repeat_one_another_may_be_packed_small(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(files, "FREE_BYTES", 1000)
    lines = b"".join(json.dumps(line(f"c{i}")).encode() + b"\n" for i in range(2_000))
    for name in ("a.jsonl.gz", "a.jsonl.zst"):
        assert len(read(bomb(tmp_path / name, lines, 1))) == 2_000


def test_a_file_of_blank_lines_is_not_read_to_its_end(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(files, "MAX_BLANK_LINES", 1_000)
    (tmp_path / "a.jsonl").write_bytes(b"\n" * 5_000)
    with pytest.raises(TranscriptError, match=r"a\.jsonl:1001: has more than 1,000 blank lines"):
        read(tmp_path / "a.jsonl")


def dictionary(path: Path, text: str, rows: int, **options: Any) -> Path:
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))
    pq.write_table(pa.table({"conversation": column}), path, compression="zstd", **options)
    return path


def test_one_text_in_many_rows_is_refused_by_what_the_file_declares(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(parquet, "MAX_LINE_BYTES", MIB)
    monkeypatch.setattr(files, "FREE_BYTES", MIB)
    path = dictionary(tmp_path / "a.parquet", "{" + " " * 4 * MIB + "}", 64)
    before = pa.total_allocated_bytes()
    assert most_memory(path, GROWN) < MIB
    assert pa.total_allocated_bytes() - before < MIB


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_one_long_text_in_many_rows_is_unpacked_once(kind: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """64 rows of 2 MiB would be 128 MiB."""
    monkeypatch.setattr(parquet, "BATCH_BYTES", 8 * MIB)
    monkeypatch.setattr(parquet, "MAX_LINE_BYTES", MIB)
    column = pa.array(["{" + " " * 2 * MIB + "}"] * 64, kind)
    pq.write_table(pa.table({"conversation": column}), tmp_path / "a.parquet", compression="zstd")
    del column
    before = pa.total_allocated_bytes()
    pool = pa.default_memory_pool()
    held: list[int] = []
    made = parquet._python_rows

    def watched(*arguments: Any) -> Any:
        held.append(pool.bytes_allocated())
        return made(*arguments)

    monkeypatch.setattr(parquet, "_python_rows", watched)
    assert most_memory(tmp_path / "a.parquet", ":1: is longer than") < 4 * MIB
    assert max(held) - before < 24 * MIB


def test_a_row_of_many_copies_of_one_text_is_measured_before_it_is_made(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """Two rows of 2,000 messages, all of one text of 64 KiB: 250 MiB."""
    monkeypatch.setattr(parquet, "MAX_LINE_BYTES", MIB)
    content = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int32()), pa.array(["x" * (1 << 16)]))
    messages = pa.StructArray.from_arrays(
        [pa.array(["user", "assistant"] * 1_000), content], ["role", "content"]
    )
    rows = pa.ListArray.from_arrays(pa.array([0, 2, 2_000], pa.int32()), messages)
    pq.write_table(pa.table({"messages": rows}), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet", skip_bad_lines=True)
    assert (len(found), found.skipped) == (1, 1)
    assert found[0].messages[0].content == "x" * (1 << 16)
    assert most_memory(tmp_path / "a.parquet", ":2: is longer than") < 4 * MIB


def test_text_of_a_row_that_is_not_utf_8_is_told_by_its_number(tmp_path: Path) -> None:
    texts = [json.dumps(line(f"c{i}")).encode() for i in range(5)]
    texts[3] = b"\xff" * 9
    column = pa.Array.from_buffers(pa.string(), 5, pa.array(texts, pa.binary()).buffers())
    pq.write_table(pa.table({"conversation": column}), tmp_path / "a.parquet")
    with pytest.raises(TranscriptError, match=":4: has text that is not UTF-8"):
        read(tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet", skip_bad_lines=True)
    assert ([c.id for c in found], found.skipped) == (["c0", "c1", "c2", "c4"], 1)
