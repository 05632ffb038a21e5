"""convsim JSONL: what is kept, and what each mistake is told."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from convsim.errors import InputError, TranscriptError
from convsim.io import read
from tests.unit.io.made import jsonl, line

USER = {"role": "user", "content": "hi"}
LABELLED = {"value": 7, "source": "self", "scale": [1, 5]}


def test_everything_that_a_line_says_is_kept(tmp_path: Path) -> None:
    said = line(
        task="footwear", agent="good-agent", arm="good", user="p17", source="shop", ending="accepted", note="odd",
        labels={"satisfaction": [{"value": 4, "source": "self", "scale": [1, 5]}, {"value": 2, "source": "judge:m"}]},
    )  # fmt: skip
    said["messages"][1]["items"] = [
        {"id": "B1", "title": "Boot", "price": 39.0, "attributes": {"colors": ["red"]}}
    ]
    said["messages"][0]["labels"] = {"act": {"value": {"ask": 2}, "source": "third_party"}}
    found = read(jsonl(tmp_path / "a.jsonl", said))
    (conversation,) = found.conversations
    assert (conversation.id, conversation.task, conversation.arm, conversation.user) == (
        "c1",
        "footwear",
        "good",
        "p17",
    )
    assert conversation.metadata == {"note": "odd"}
    assert [label.source for label in conversation.labels["satisfaction"]] == ["self", "judge:m"]
    assert conversation.messages[0].labels["act"][0].value == {"ask": 2}
    assert conversation.messages[1].items[0].price == 39.0
    assert (found.format, found.skipped, found.warnings, found.survey) == ("convsim", 0, (), None)


def test_the_hash_is_of_the_bytes_on_disk(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", line("a"), line("b"))
    assert read(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_breaks_alternation_is_read_as_it_is(tmp_path: Path) -> None:
    roles = ["assistant", "user", "user", "system", "tool", "developer", "assistant", "assistant"]
    said = {"id": "x", "messages": [{"role": role, "content": ""} for role in roles]}
    (conversation,) = read(jsonl(tmp_path / "a.jsonl", said)).conversations
    assert [message.role for message in conversation.messages] == roles


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "a.jsonl", b"\xef\xbb\xbf" + json.dumps(line("a")).encode(), "", "  \t\r", line("b")
    )
    assert [c.id for c in read(path).conversations] == ["a", "b"]


def test_a_line_separator_inside_a_text_does_not_end_the_line(tmp_path: Path) -> None:
    text = "one\u2028two\x85three"
    said = json.dumps({"id": "a", "messages": [{"role": "user", "content": text}]}, ensure_ascii=False)
    (conversation,) = read(jsonl(tmp_path / "a.jsonl", said)).conversations
    assert conversation.messages[0].content == text


ROLES = "user, assistant, system, developer, tool"
ENDINGS = "accepted, left, agent_ended, turn_limit, agent_failed, shopper_failed, unknown"


def said(**fields: Any) -> dict[str, Any]:
    return {"id": "x", "messages": [USER], **fields}


BAD: list[tuple[Any, str]] = [
    (
        said(messages=[{"role": "moderator", "content": "hi"}]),
        f"messages[0].role: must be one of {ROLES}, or a name that is known for one of them, such as human or bot, "
        "but is 'moderator'",
    ),
    (
        said(messages=[USER, {"role": "user", "content": 3}]),
        "messages[1].content: must be text, null or a list of parts, but is 3",
    ),
    (said(messages=["hi"]), "messages[0]: must be an object, but is 'hi'"),
    (said(messages=USER), "messages: must be a list, but is an object"),
    ({"id": "x"}, "messages: is required, but is missing"),
    ({"id": [3], "messages": [USER]}, "id: must be text, but is a list"),
    ({"id": "", "messages": [USER]}, "id: must not be empty"),
    (said(ending="won"), f"ending: must be one of {ENDINGS}, but is 'won'"),
    (said(severity=2), "severity: must be at most 1, but is 2"),
    (said(severity=True), "severity: must be a number, but is true"),
    (said(labels={"s": LABELLED}), "labels.s: the value 7 is outside its scale [1.0, 5.0]"),
    (said(labels={"s": {"value": 1}}), "labels.s.source: is required, but is missing"),
    (
        said(labels={"two words": [{"value": 1}]}),
        "labels['two words'][0].source: is required, but is missing",
    ),
    (
        said(persona={"id": "p", "need": "n", "constraints": [{"attribute": "a", "op": "=", "value": {}}]}),
        "persona.constraints[0].value: must be text, but is an object",
    ),
    (said(metadata=[]), "metadata: must be an object, but is a list"),
    ([1], "must be an object, but is a list"),
    (
        {"txet": "hi"},
        "is not a conversation: expected an object with id and messages, but found 'txet'; "
        "messages under any other key, and one row a message, are read by: convsim data import FILE",
    ),
    (
        {},
        "is not a conversation: expected an object with id and messages, but found nothing; "
        "messages under any other key, and one row a message, are read by: convsim data import FILE",
    ),
    ('{"id": "x", "messages": [', "is not JSON: EOF while parsing a list at column 25"),
    ("hello", "is not JSON: expected value at column 1"),
    ('{"id": "x", "messages": [], "n": NaN}', "is not JSON: expected value at column 34"),
    ('{"id": "x", "messages": [], "n": -Infinity}', "is not JSON: invalid number at column 35"),
    ('{"id": "x", "messages": [], "n": [1e999]}', "contains a number that is too large"),
    (
        '{"id": "x", "messages": [], "n": 1' + "0" * 400 + ".5}",
        "contains a number that is too large",
    ),
    (b'{"id": "\xff"}', "is not UTF-8 text: 0xff at byte 9"),
    ("[" * 100_000, "is not JSON: recursion limit exceeded at column 202"),
]


@pytest.mark.parametrize(("row", "problem"), BAD, ids=[problem[:50] for _, problem in BAD])
def test_a_bad_line_is_told_with_file_line_field_and_what_was_expected(
    row: object, problem: str, tmp_path: Path
) -> None:
    path = jsonl(tmp_path / "logs.jsonl", line("good"), "", row)
    if problem.startswith("is not a conversation"):
        path = jsonl(path, "", "", row)
    with pytest.raises(TranscriptError) as caught:
        read(path)
    assert str(caught.value) == f"{path}:3: {problem}"
    assert (caught.value.line, caught.value.exit_code) == (3, 2)


def test_numbers_and_words_that_merely_look_huge_are_read(tmp_path: Path) -> None:
    said = line(metadata={"size": "1e999", "tiny": 1e-300, "large": 1e300, "code": "e0001"})
    (conversation,) = read(jsonl(tmp_path / "a.jsonl", said)).conversations
    assert conversation.metadata == said["metadata"]


@pytest.mark.parametrize("value", ["\x1b[2J\n\r\u202e" * 500, {"k" * 10_000: 1}, ["v" * 10_000], 10**4000])
def test_hostile_values_are_escaped_and_shortened_in_messages(value: object, tmp_path: Path) -> None:
    with pytest.raises(TranscriptError) as caught:
        read(jsonl(tmp_path / "a.jsonl", line(messages=[value])))
    message = str(caught.value).removeprefix(str(tmp_path))
    assert len(message) < 600
    assert message.isprintable()


def test_hostile_names_of_fields_are_escaped_and_shortened(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError) as caught:
        read(jsonl(tmp_path / "a.jsonl", line(labels={"\x1b[2J" * 900: {"value": 1}})))
    message = str(caught.value).removeprefix(str(tmp_path))
    assert len(message) < 600
    assert message.isprintable()


def test_an_id_that_stands_twice_names_both_lines(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", line("a"), line("b"), line("a"))
    with pytest.raises(
        TranscriptError, match=re.escape(f"{path}:3: id: must be unique, but 'a' is also on line 1")
    ):
        read(path)


def test_a_file_in_which_no_user_speaks_is_refused(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"id": "x", "messages": [{"role": "assistant", "content": "hi"}]})
    with pytest.raises(TranscriptError, match="contains no user message"):
        read(path)


def test_bad_lines_are_skipped_and_counted_on_demand(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", "oops", {"id": 3}, line("a"), line("a"), b"\xff", line("b"))
    found = read(path, skip_bad_lines=True)
    assert [c.id for c in found.conversations] == ["a", "b"]
    assert found.skipped == 4


def test_a_file_without_a_good_line_is_an_error_even_when_bad_lines_are_skipped(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", "oops", "{}")
    with pytest.raises(
        TranscriptError,
        match=rf"all 2 conversations are malformed; the first one: .*{path.name}:1: is not JSON",
    ):
        read(path, skip_bad_lines=True)


def test_convapparel_versions_are_never_pooled_in_a_file(tmp_path: Path) -> None:
    rows = [line("a", source="convapparel-v1"), line("b", source="convapparel-v2")]
    with pytest.raises(TranscriptError, match="must never be pooled"):
        read(jsonl(tmp_path / "a.jsonl", *rows))


def test_an_unknown_reader_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no reader 'csv'; available: convsim, openai, convapparel"):
        read(jsonl(tmp_path / "a.jsonl", line()), reader="csv")
