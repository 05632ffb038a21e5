"""What is read takes little memory; the garbage collector pauses meanwhile, and is left as it was."""

from __future__ import annotations

import copy
import csv
import gc
import gzip
import json
import pickle
import tracemalloc
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from pydantic import ValidationError

import convsim
from convsim.io import read
from convsim.io.files import bulk_load, left_alone
from convsim.io.parquet import write_parquet
from convsim.io.table.reading import read_table
from convsim.schema import Corpus, Finding
from convsim.schema.conversation import Conversation


def break_off() -> None:
    with bulk_load():
        assert not gc.isenabled()
        raise RuntimeError("oops")


def test_the_collector_is_off_inside_and_on_again_after_an_error() -> None:
    assert gc.isenabled()
    with pytest.raises(RuntimeError, match="oops"):
        break_off()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with bulk_load():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_the_caller_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        with bulk_load():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_what_is_there_is_left_alone_inside_and_collected_as_before_afterwards() -> None:
    with left_alone():
        frozen = gc.get_freeze_count()
        assert frozen > 0
        with left_alone():
            pass
        assert gc.get_freeze_count() == frozen  # whoever began ends it
    assert gc.get_freeze_count() == 0
    with pytest.raises(RuntimeError, match="oops"), left_alone():
        raise RuntimeError("oops")
    assert gc.get_freeze_count() == 0


def test_validators_judge_while_what_was_read_is_left_alone() -> None:
    seen: list[bool] = []

    class Watching:
        name = "watching"

        def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> list[Finding]:
            seen.append(gc.get_freeze_count() > 0)
            return []

    sides = [[Conversation.model_validate(showing(number)) for number in range(3)] for _ in range(2)]
    convsim.validate(sides[0], sides[1], seed=1, validators=Watching(), metrics="turns")
    assert seen == [True]
    assert gc.get_freeze_count() == 0


def test_a_short_conversation_takes_less_than_a_kilobyte(tmp_path: Path) -> None:
    """A million of them are then read in less than a gigabyte."""
    rows = [
        {
            "id": f"c{i}", "task": "shoes", "arm": "good", "user": f"u{i}",
            "messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "ok"}],
        }
        for i in range(3_000)
    ]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    read(tmp_path / "a.jsonl")
    tracemalloc.start()
    found = read(tmp_path / "a.jsonl")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 3_000
    assert held / 3_000 < 1_000  # 2,964 without sharing, 1,240 with each empty dictionary its own


def test_a_compact_conversation_is_the_one_that_was_read() -> None:
    given = Conversation.model_validate(
        {
            "id": "c", "more": 1, "usage": {"seconds": 2.5},
            "messages": [
                {"role": "user", "content": "hi", "labels": {"a": {"value": 1, "source": "self"}}},
                {"role": "assistant", "content": "ok", "items": [{"id": "i", "price": 3.5, "size": "M"}]},
            ],
        }
    )  # fmt: skip
    made = given.compact()
    assert made == given
    assert made.to_json() == given.to_json()
    assert made.model_fields_set == given.model_fields_set
    assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == given  # noqa: S301, our own
    changed = made.model_copy(update={"arm": "b"})
    assert (changed.arm, made.arm, "arm" in given.compact().model_fields_set) == ("b", None, False)
    with pytest.raises(TypeError, match="make a changed copy"):
        made.labels["a"] = ()
    assert type(pickle.loads(pickle.dumps(made)).labels) is type(copy.deepcopy(made).labels) is dict  # noqa: S301
    assert made.but(metadata={**made.metadata, "b": 1}).metadata == {"more": 1, "b": 1}
    with pytest.raises(ValidationError, match="frozen"):
        made.arm = "b"  # type: ignore[misc]


def showing(number: int) -> dict[str, object]:
    """Return a conversation that shows an item of three by turns, one of them without and with an empty price."""
    items: list[dict[str, object]] = [
        {"id": "a", "title": "boots", "price": 1.0, "attributes": {"color": "red"}},
        {"id": "b", "title": "coat"},
        {"id": "b", "title": "coat", "price": None, "stock": 3},
    ]
    messages = [
        {"role": "user", "content": f"boots {number}"},
        {"role": "assistant", "content": "here", "items": [items[number % 3], items[0]]},
    ]
    return {"id": f"c{number}", "messages": messages}


def test_an_item_that_is_shown_again_is_held_once_and_every_conversation_is_what_its_line_says(
    tmp_path: Path,
) -> None:
    lines = [showing(number) for number in range(60)]
    (tmp_path / "shown.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    whole = read(tmp_path / "shown.jsonl")
    shown = [item for each in whole for message in each.messages for item in message.items]
    assert (len(shown), len({id(item) for item in shown})) == (120, 3)
    made = [Conversation.model_validate(line) for line in lines]
    assert [*whole] == made
    assert [each.to_json() for each in whole] == [each.to_json() for each in made]
    assert [each.messages[1].items[0].model_fields_set for each in whole] == [
        each.messages[1].items[0].model_fields_set for each in made
    ]


MIB = 1 << 20


def write_large(path: Path, n: int, characters: int) -> None:
    """Write conversations with a user message of so many characters, each another."""
    lines = [
        {
            "id": f"c{number}",
            "messages": [
                {"role": "user", "content": f"{number:06} boots " * (characters // 13)},
                {"role": "assistant", "content": "here"},
            ],
        }
        for number in range(n)
    ]
    rows = [{"conversation": c["id"], **message} for c in lines for message in c["messages"]]  # type: ignore[dict-item]
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, ["conversation", "role", "content"])
            table.writeheader()
            table.writerows(rows)
    elif path.name == "rows.parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif path.name == "messages.parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(lines), path)
    elif path.suffix == ".parquet":
        with path.open("wb") as packed:
            write_parquet(packed, map(Conversation.model_validate, lines))
    else:
        text = "".join(json.dumps(line) + "\n" for line in lines).encode()
        path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.parquet", "messages.parquet", "rows.parquet"]
)
def test_a_file_is_read_in_a_stream_and_not_held_beside_its_conversations(name: str, tmp_path: Path) -> None:
    """What reading takes for a moment is some buffers and messages, not the file."""
    n, characters = 300, 50_000
    first, path = (tmp_path / folder / name for folder in ("first", "whole"))
    for file, size in ((first, 20), (path, n)):
        file.parent.mkdir()
        write_large(file, size, characters)
    wanted = read_table if name in ("a.csv", "rows.parquet") else read
    wanted(first)  # so that what is imported is not counted
    tracemalloc.start()
    found = wanted(path)
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.conversations) == n
    assert held > 0.9 * n * characters
    assert most < 1.2 * held + 5 * MIB
