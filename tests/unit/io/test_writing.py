"""Writing: every format comes back the same, and nothing is left half-written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from convsim.errors import InputError
from convsim.io import read, write, writing
from convsim.schema.conversation import Conversation
from tests.unit.io.made import archive, archived, line, turn, written

ENDINGS = [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"]
TALKS = tuple(Conversation.model_validate(line(f"c{i}", user="ü", note={"n": [i, None]})) for i in range(5))


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_read_back_the_same(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{ending}"
    write(path, TALKS)
    assert read(path).conversations == TALKS
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_survives_conversion(ending: str, tmp_path: Path) -> None:
    talks = archive(archived("tops_bad", ratings={"Satisfied?": "yes"}, turns=[turn(), turn("")]), archived())
    conversations = read(written(tmp_path / "x.json", talks)).conversations
    write(tmp_path / f"a{ending}", conversations)
    assert read(tmp_path / f"a{ending}").conversations == conversations


def test_a_packed_file_is_the_same_at_any_time_and_under_any_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}.jsonl.gz", TALKS)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    lines = gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(each)["id"] for each in lines] == ["c0", "c1", "c2", "c3", "c4"]


def test_what_stood_there_stays_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    write(path, TALKS[:1])
    before = path.read_bytes()

    def full(_: object, __: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_write_lines", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        write(path, TALKS)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_json_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    odd = Conversation.model_validate(line(metadata={"n": "\ud800"}))
    with pytest.raises(InputError, match="cannot be written as JSON"):
        write(tmp_path / "a.jsonl", [odd])
    assert list(tmp_path.iterdir()) == []


def test_mistakes_are_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ending in \.jsonl, \.jsonl\.gz, \.jsonl\.zst, \.parquet"):
        write(tmp_path / "a.csv", TALKS)
    with pytest.raises(InputError, match="there are no conversations to write"):
        write(tmp_path / "a.jsonl", [])
    with pytest.raises(InputError, match="ids must differ, but 'c0' occurs twice"):
        write(tmp_path / "a.jsonl", [TALKS[0], TALKS[0]])
    with pytest.raises(InputError, match="there is no folder"):
        write(tmp_path / "none" / "a.jsonl", TALKS)
    (tmp_path / "b.jsonl").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path / "b.jsonl", TALKS)
    assert [each.name for each in tmp_path.iterdir()] == ["b.jsonl"]
