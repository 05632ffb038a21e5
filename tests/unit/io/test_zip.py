"""Zip archives of strangers: cut off, locked, bombs, and too many or too few members."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from convsim.errors import TranscriptError
from convsim.io import files as zip_reader
from convsim.io import read
from tests.unit.io.made import archive, archived, zipped


def whole(tmp_path: Path) -> Path:
    return zipped(tmp_path / "x.zip", {"a.json": archive(archived())})


@pytest.mark.parametrize("missing", [1, 30, 200])
def test_an_archive_that_is_cut_off_is_an_error(missing: int, tmp_path: Path) -> None:
    path = whole(tmp_path)
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(TranscriptError, match="is not a complete zip archive"):
        read(path)


def test_a_damaged_member_is_an_error(tmp_path: Path) -> None:
    path = whole(tmp_path)
    data = bytearray(path.read_bytes())
    data[60:70] = bytes(10)
    path.write_bytes(data)
    with pytest.raises(TranscriptError):
        read(path)


def test_an_empty_file_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"")
    with pytest.raises(TranscriptError, match="is not a complete zip archive"):
        read(tmp_path / "x.zip")


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"a.txt": "x"}, r"must contain a \.json or \.jsonl or \.ndjson file, but contains 'a\.txt'"),
        ({"a.json": "{}", "b/c.json": "{}"}, r"a\.json: is not a conversation"),
    ],
)
def test_members_without_conversations_are_an_error(
    members: dict[str, str], found: str, tmp_path: Path
) -> None:
    path = zipped(tmp_path / "x.zip", members)
    with pytest.raises(TranscriptError, match=found):
        read(path)


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "x.zip", {"a.json": " " * 5_000_000})
    monkeypatch.setattr(zip_reader, "MAX_DOCUMENT_BYTES", 1 << 20)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("the member was opened"))
    with pytest.raises(TranscriptError, match=r"'a\.json' unpacks to more than 0 GiB, the most that is read"):
        read(path)


def test_a_bomb_that_declares_too_little_is_never_unpacked_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "x.zip", {"a.json": " " * 5_000_000})
    data = path.read_bytes()
    true_size, lie = struct.pack("<I", 5_000_000), struct.pack("<I", 1000)
    assert data.count(true_size) == 2
    path.write_bytes(data.replace(true_size, lie))
    with pytest.raises(TranscriptError, match="is not a complete zip archive: Bad CRC-32"):
        read(path)


def test_more_than_the_bound_is_refused_by_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "x.zip", {"a.json": " " * 5_000_000})
    monkeypatch.setattr(zip_reader, "MAX_DOCUMENT_BYTES", 1 << 20)
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda self: [_lying(info) for info in self.filelist])
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda _self, size: b" " * size)
    with pytest.raises(TranscriptError, match="unpacks to more than"):
        read(path)


def _lying(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    info.file_size = 10
    return info


def test_a_locked_archive_is_an_error(tmp_path: Path) -> None:
    path = whole(tmp_path)
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(TranscriptError, match=r"is encrypted: 'a\.json' needs a password"):
        read(path)
