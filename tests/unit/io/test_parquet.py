"""Parquet: convsim's own columns and plain OpenAI messages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from convsim.errors import MissingExtraError, TranscriptError
from convsim.io import parquet, read, write
from convsim.schema.conversation import Conversation
from tests.unit.io.made import line

MESSAGES = [
    [{"role": "user", "content": "hi", "name": None}, {"role": "assistant", "content": None, "name": "bot"}],
    [{"role": "user", "content": "bye", "name": None}],
]


def table(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_what_was_written_can_be_queried_by_column_and_is_read_back_whole(tmp_path: Path) -> None:
    conversations = tuple(Conversation.model_validate(line(f"c{i}", arm="good", note=i)) for i in range(2500))
    write(tmp_path / "a.parquet", conversations)
    columns = pq.read_table(tmp_path / "a.parquet").to_pydict()
    assert columns["id"] == [f"c{i}" for i in range(2500)]
    assert set(columns["arm"]) == {"good"}
    assert set(columns["task"]) == {None}
    found = read(tmp_path / "a.parquet")
    assert found.conversations == conversations
    assert found.format == "convsim-parquet"


def test_a_column_of_messages_is_plain_openai(tmp_path: Path) -> None:
    path = table(
        tmp_path / "a.parquet",
        messages=MESSAGES,
        arm=["good", None],
        score=[1.5, float("nan")],
        raw=[b"x", b"y"],
    )
    found = read(path)
    assert found.format == "openai-parquet"
    first, second = found.conversations
    assert (first.id, first.arm, first.metadata) == ("line-1", "good", {"score": 1.5})
    assert (second.id, second.arm, second.metadata) == ("line-2", None, {})
    assert [(m.role, m.content, m.metadata) for m in first.messages] == [
        ("user", "hi", {}),
        ("assistant", "", {"name": "bot"}),
    ]


def test_the_reader_chooses_where_a_file_has_both(tmp_path: Path) -> None:
    whole = Conversation.model_validate(line("whole")).to_json()
    path = table(tmp_path / "a.parquet", messages=MESSAGES[:1], conversation=[whole])
    assert read(path).conversations[0].id == "whole"
    assert read(path, reader="openai").conversations[0].id == "line-1"


def test_a_bad_row_is_told_by_its_number(tmp_path: Path) -> None:
    good = Conversation.model_validate(line()).to_json()
    path = table(tmp_path / "a.parquet", conversation=[good, "{", None])
    with pytest.raises(TranscriptError, match=r"a\.parquet:2: is not JSON"):
        read(path)
    assert read(path, skip_bad_lines=True).skipped == 2


def test_a_message_of_another_shape_is_an_error(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", messages=[["hi"]])
    with pytest.raises(TranscriptError, match=r":1: messages\[0\]: must be an object, but is 'hi'"):
        read(path)


@pytest.mark.parametrize(
    ("reader", "wanted"),
    [
        (None, ":1: is not a conversation: expected an object with id and messages, but found 'text'"),
        ("convsim", "has no column 'conversation'; it has 'text'"),
        ("openai", "has no column 'messages'; it has 'text'"),
    ],
)
def test_other_columns_are_an_error(reader: str | None, wanted: str, tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", text=["hi"])
    with pytest.raises(TranscriptError, match=wanted):
        read(path, reader=reader)


@pytest.mark.parametrize("size", [0, 3, 100, -1])
def test_a_file_that_is_cut_off_is_an_error(size: int, tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", messages=MESSAGES)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(TranscriptError, match="Parquet"):
        read(path)


def test_a_file_that_unpacks_beyond_the_bound_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MAX_FILE_BYTES", 10)
    with pytest.raises(TranscriptError, match="unpacked, the most that is read"):
        read(table(tmp_path / "a.parquet", messages=MESSAGES))


def test_pyarrow_that_is_not_installed_is_told_how_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(tmp_path / "a.parquet", messages=MESSAGES)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r'needs the extra "parquet"'):
        read(path)
    with pytest.raises(MissingExtraError, match=r'needs the extra "parquet"'):
        write(tmp_path / "b.parquet", [Conversation.model_validate(line())])
    assert not list(tmp_path.glob("*b.parquet*"))
