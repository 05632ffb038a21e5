"""Files: packed and plain, cut off, damaged, missing, too large, and what each is told."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest
import zstandard

from convsim.errors import MissingExtraError, TranscriptError
from convsim.io import files, read
from tests.unit.io.made import jsonl, line

LINES = b"".join(json.dumps(line(f"c{i}")).encode() + b"\n" for i in range(300))


def packed(path: Path) -> Path:
    """Write the lines packed by the ending of ``path``, as two members or frames behind one another."""
    middle = LINES.index(b"\n", len(LINES) // 2) + 1
    pack = gzip.compress if path.suffix == ".gz" else zstandard.ZstdCompressor().compress
    path.write_bytes(pack(LINES[:middle]) + pack(LINES[middle:]))
    return path


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_packed_lines_are_read_across_their_parts(ending: str, tmp_path: Path) -> None:
    path = packed(tmp_path / f"a.jsonl.{ending}")
    found = read(path)
    assert [c.id for c in found.conversations] == [f"c{i}" for i in range(300)]
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("ending", ["gz", "zst"])
@pytest.mark.parametrize("missing", [1, 5, 40])
def test_a_packed_file_that_is_cut_off_is_an_error(ending: str, missing: int, tmp_path: Path) -> None:
    path = packed(tmp_path / f"a.jsonl.{ending}")
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(TranscriptError, match="is truncated: its compressed data end too early"):
        read(path, skip_bad_lines=True)


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_a_file_that_is_not_what_its_ending_says_is_an_error(ending: str, tmp_path: Path) -> None:
    path = jsonl(tmp_path / f"a.jsonl.{ending}", line())
    with pytest.raises(TranscriptError, match="cannot be read: "):
        read(path)


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_damaged_data_is_an_error(ending: str, tmp_path: Path) -> None:
    path = packed(tmp_path / f"a.jsonl.{ending}")
    data = bytearray(path.read_bytes())
    data[len(data) // 4 : len(data) // 4 + 8] = b"\xff" * 8
    path.write_bytes(data)
    with pytest.raises(TranscriptError):
        read(path)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_an_empty_file_is_an_error(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(TranscriptError, match="is empty: it contains no conversation"):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.zip", "a.parquet", "a.jsonl.gz"])
def test_a_missing_file_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match="there is no such file"):
        read(tmp_path / name)


def test_a_path_through_a_file_is_an_error(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", line())
    with pytest.raises(TranscriptError, match="cannot be read: Not a directory"):
        read(path / "b.jsonl")


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read any file")
def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", line())
    path.chmod(0)
    with pytest.raises(TranscriptError, match="cannot be read: Permission denied"):
        read(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    with pytest.raises(TranscriptError, match="is not a regular file"):
        read(tmp_path / "a.jsonl")


def test_an_unknown_ending_is_told_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("hello\n", encoding="utf-8")
    with pytest.raises(TranscriptError) as caught:
        read(path)
    for kind in (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet", ".zip", ".json", "run folder", "openai"):
        assert kind in str(caught.value)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_a_line_beyond_the_bound_is_an_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 1 << 20)
    data = json.dumps(line()).encode() + b"\n" + b" " * (2 << 20)
    pack = {"l": bytes, "z": gzip.compress, "t": zstandard.ZstdCompressor().compress}[name[-1]]
    (tmp_path / name).write_bytes(pack(data))
    with pytest.raises(TranscriptError, match=r"a\.jsonl.*:2: is longer than 1 MiB"):
        read(tmp_path / name, skip_bad_lines=True)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_a_file_that_unpacks_beyond_the_bound_is_an_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", len(LINES) - 1)
    with pytest.raises(TranscriptError, match="unpacked, the most that is read"):
        read(packed(tmp_path / name))


def test_zstandard_that_is_not_installed_is_told_how_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path / "a.jsonl.zst")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match=r'needs the extra "zstd": pip install "convsim\[zstd\]"'):
        read(path)
