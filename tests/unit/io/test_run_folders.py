"""Run folders: read like a file, forgiving of the one line that a killed run leaves."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from convsim.errors import TranscriptError
from convsim.io import read
from tests.unit.io.made import jsonl, line


def run(folder: Path, *rows: object, cut: bytes = b"") -> Path:
    folder.mkdir()
    path = jsonl(folder / "conversations.jsonl", *rows)
    path.write_bytes(path.read_bytes() + cut)
    return folder


def test_a_run_folder_is_read_like_its_conversations(tmp_path: Path) -> None:
    folder = run(tmp_path / "first", line("a"), line("b"))
    found = read(folder)
    assert [c.id for c in found.conversations] == ["a", "b"]
    assert found.path == folder
    assert found.sha256 == hashlib.sha256((folder / "conversations.jsonl").read_bytes()).hexdigest()


@pytest.mark.parametrize("cut", [b'{"id": "c", "mess', '{"id": "ü'.encode()[:-1], b"{"])
def test_a_last_line_that_was_cut_is_dropped_with_a_warning(cut: bytes, tmp_path: Path) -> None:
    found = read(run(tmp_path / "first", line("a"), cut=cut))
    assert [c.id for c in found.conversations] == ["a"]
    assert found.warnings == ("line 2, the last one, is incomplete and was dropped: the run was interrupted",)
    assert found.skipped == 0


def test_a_whole_last_line_counts_even_without_its_line_end(tmp_path: Path) -> None:
    found = read(run(tmp_path / "first", line("a"), cut=json.dumps(line("b")).encode()))
    assert [c.id for c in found.conversations] == ["a", "b"]
    assert found.warnings == ()


def test_a_bad_line_that_ended_is_an_error_in_a_run_too(tmp_path: Path) -> None:
    folder = run(tmp_path / "first", line("a"), '{"id": ')
    with pytest.raises(TranscriptError, match=r"conversations\.jsonl:2: is not JSON"):
        read(folder)


def test_a_cut_last_line_of_a_plain_file_is_an_error(tmp_path: Path) -> None:
    folder = run(tmp_path / "first", line("a"), cut=b'{"id": ')
    with pytest.raises(TranscriptError, match=r"conversations\.jsonl:2: is not JSON"):
        read(folder / "conversations.jsonl")


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match=r"is a folder but not a run: it has no conversations\.jsonl"):
        read(tmp_path)
