"""Containers: the same three conversations, whatever holds them and whatever the file is called."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from convsim.errors import MissingExtraError, TranscriptError
from convsim.io import files, read

TALKS = [
    {
        "id": f"c{i}",
        "messages": [{"role": "user", "content": f"hi ’{i}"}, {"role": "assistant", "content": "yes"}],
    }
    for i in range(3)
]
LINES = "".join(json.dumps(talk, ensure_ascii=False) + "\n" for talk in TALKS)
ARRAY = json.dumps(TALKS, ensure_ascii=False)
PRETTY = json.dumps(TALKS, indent=1, ensure_ascii=False)
ONE_BEHIND_ANOTHER = "\n".join(json.dumps(talk, indent=2) for talk in TALKS)

HELD: dict[str, bytes] = {
    "a.jsonl": LINES.encode(),
    "a.ndjson": LINES.encode(),
    "lines.json": LINES.encode(),
    "lines.log": LINES.encode(),
    "array.json": ARRAY.encode(),
    "array.jsonl": ARRAY.encode(),
    "pretty.json": PRETTY.encode(),
    "pretty.jsonl": PRETTY.encode(),
    "array-a-line-each.jsonl": "".join(f"[{json.dumps(talk)}]\n" for talk in TALKS).encode(),
    "in-a-row.json": ONE_BEHIND_ANOTHER.encode(),
    "in-a-row.jsonl": ONE_BEHIND_ANOTHER.encode(),
    "no-space.json": "".join(json.dumps(talk) for talk in TALKS).encode(),
    "wrapped.json": json.dumps({"object": "list", "data": TALKS}).encode(),
    "bom.jsonl": b"\xef\xbb\xbf" + LINES.encode(),
    "bom.json": b"\xef\xbb\xbf" + PRETTY.encode(),
    "utf16.jsonl": LINES.encode("utf-16"),
    "utf16-be.json": b"\xfe\xff" + PRETTY.encode("utf-16-be"),
    "utf16-without-mark.jsonl": LINES.encode("utf-16-le"),
    "utf32.jsonl": LINES.encode("utf-32"),
    "a.jsonl.gz": gzip.compress(LINES.encode()),
    "gzip-unnamed.jsonl": gzip.compress(LINES.encode()),
    "gzip-of-array.json": gzip.compress(ARRAY.encode()),
    "gzip-of-utf16": gzip.compress(LINES.encode("utf-16")),
    "zstd-unnamed.jsonl": zstandard.ZstdCompressor().compress(LINES.encode()),
    "texts.jsonl": "".join(json.dumps({**t, "messages": json.dumps(t["messages"])}) + "\n" for t in TALKS).encode(),
}  # fmt: skip


def check(found: Any) -> None:
    assert [c.id for c in found] == ["c0", "c1", "c2"]
    assert [[m.role for m in c.messages] for c in found] == [["user", "assistant"]] * 3
    assert [c.messages[0].content for c in found] == ["hi ’0", "hi ’1", "hi ’2"]


@pytest.mark.parametrize("name", HELD)
def test_conversations_are_found_whatever_holds_them(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(HELD[name])
    check(read(tmp_path / name))


def test_a_folder_and_a_zip_of_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "b.json").write_text(json.dumps(TALKS[1]))
    (folder / "a.json").write_text(json.dumps([TALKS[0]]))
    (folder / "z.jsonl.gz").write_bytes(gzip.compress(json.dumps(TALKS[2]).encode()))
    (folder / ".hidden.json").write_text("{}")
    (folder / "notes.txt").write_text("nothing")
    check(read(folder))
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        for name, talk in zip(("a.json", "b.jsonl", "c/d.json"), TALKS, strict=True):
            archive.writestr(name, json.dumps(talk))
    check(read(tmp_path / "logs.zip"))
    (tmp_path / "logs.zip").rename(tmp_path / "logs.data")
    check(read(tmp_path / "logs.data"))


def test_conversations_of_a_folder_without_ids_are_called_by_their_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"messages": TALKS[0]["messages"]}))
    rows = [{"messages": TALKS[0]["messages"]}] * 2
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [c.id for c in read(tmp_path)] == ["a", "b", "c-1", "c-2"]


@pytest.mark.parametrize("with_text", [True, False])
def test_rows_of_parquet_may_hold_messages_as_texts(with_text: bool, tmp_path: Path) -> None:
    messages = [json.dumps(t["messages"]) if with_text else t["messages"] for t in TALKS]
    table = pa.table({"id": [t["id"] for t in TALKS], "messages": messages})
    pq.write_table(table, tmp_path / "rows.data")
    check(read(tmp_path / "rows.data"))


def test_standard_input_is_a_minus(monkeypatch: pytest.MonkeyPatch) -> None:
    files._standard_input.cache_clear()
    given = io.TextIOWrapper(io.BytesIO(gzip.compress(LINES.encode())))
    monkeypatch.setattr(sys, "stdin", given)
    check(read("-"))
    check(read("-"))
    files._standard_input.cache_clear()


class Hub(ModuleType):
    """What stands in for the package ``datasets``: a data set with two splits."""

    def load_dataset(self, name: str, split: str | None = None, trust_remote_code: bool = True) -> Any:
        assert (name, trust_remote_code) == ("shop/talks", False)
        splits = {"train": TALKS, "test": TALKS[:1]}
        return splits if split is None else splits[split]


def test_a_data_set_of_the_hub_is_read_by_its_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", Hub("datasets"))
    check(read("hf://shop/talks:train"))
    check(read(Path("hf://shop/talks:train")))
    with pytest.raises(
        TranscriptError, match="has the splits 'train', 'test'; name one: hf:/shop/talks:train"
    ):
        read("hf://shop/talks")
    with pytest.raises(TranscriptError, match=r"expected hf://owner/name or hf://owner/name:split"):
        read("hf://talks")
    with pytest.raises(TranscriptError, match="cannot be loaded by datasets: KeyError: 'dev'"):
        read("hf://shop/talks:dev")


def test_a_data_set_of_the_hub_without_its_package_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match='needs the extra "hub"'):
        read("hf://shop/talks:train")


BAD: list[tuple[str, bytes, str]] = [
    ("a.jsonl", LINES.encode("utf-16")[:-3], "is UTF-16 by its first bytes, but not all of it"),
    ("a.json", ONE_BEHIND_ANOTHER.encode()[:-5], "value 3: is not JSON"),
    ("a.jsonl", LINES.encode() + b'{"id": "x"}\n', r"a\.jsonl:4: messages: is required, but is missing"),
    ("a.json", json.dumps([*TALKS, {"id": "x"}]).encode(), r"\[3\]\.messages: is required, but is missing"),
    ("a.json", json.dumps([*TALKS, TALKS[1]]).encode(), r"\[3\]\.id: must be unique, but 'c1' is also \[1\]"),
    ("a.jsonl", gzip.compress(LINES.encode())[:-9], "is truncated: its compressed data end too early"),
    ("a.csv", b"a,b\n1,2\n", "is a table; one row a message is read by: convsim data import"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "said"), BAD)
def test_what_is_wrong_is_one_line_with_its_place(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TranscriptError, match=said) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_bad_file_of_a_folder_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(TALKS))
    (tmp_path / "b.jsonl").write_text(
        '{"id": "x", "messages": [{"role": "user", "content": "hi"}]}\n{"id": "y"}\n'
    )
    with pytest.raises(TranscriptError, match=r"b\.jsonl:2: messages: is required, but is missing"):
        read(tmp_path)
    found = read(tmp_path, skip_bad_lines=True)
    assert (len(found), found.skipped) == (4, 1)


@pytest.mark.parametrize(
    ("row", "found", "near"),
    [
        ({"id": "a", "txet": "hi"}, "found 'id', 'txet'", None),
        ({"task_id": 3, "trial": 0, "reward": 1, "steps": []}, "found 'task_id', 'trial'", "tau-bench (--reader"),
        ({"info": {}, "simulation": []}, "found 'info', 'simulation'", None),
        ({"agent": {}, "user": {}, "conversation ID": "1"}, "found 'agent', 'user'", "DialogueKit (--reader"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_what_nobody_knows_is_told_its_keys_the_nearest_format_and_what_reads_it(
    name: str, row: dict[str, Any], found: str, near: str | None, tmp_path: Path
) -> None:
    rows = [row, row]
    (tmp_path / name).write_text(
        json.dumps(rows) if name == "a.json" else "".join(json.dumps(r) + "\n" for r in rows)
    )
    with pytest.raises(TranscriptError) as caught:
        read(tmp_path / name)
    said = str(caught.value)
    assert found in said
    assert said.endswith(
        "messages under any other key, and one row a message, are read by: convsim data import FILE"
    )
    assert (f"the nearest format is {near}" if near else "") in said
    assert ("nearest" in said) == (near is not None)
    assert "ConvApparel" not in said
