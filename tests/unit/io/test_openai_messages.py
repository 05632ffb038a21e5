"""Plain OpenAI messages: what is read, where the rest goes, and how the format is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from convsim.errors import TranscriptError
from convsim.io import read
from tests.unit.io.made import jsonl, line

ROLES = "user, assistant, system, developer, tool"
USER = {"role": "user", "content": "hi"}
AGENT = {"role": "assistant", "content": "yes"}


def test_a_file_with_messages_and_no_id_is_plain_openai(tmp_path: Path) -> None:
    found = read(
        jsonl(
            tmp_path / "a.jsonl",
            {"messages": [USER, AGENT]},
            "",
            {"messages": [USER], "arm": "bad", "model": "m"},
        )
    )
    assert found.format == "openai"
    assert [c.id for c in found.conversations] == ["line-1", "line-3"]
    assert (found.conversations[1].arm, found.conversations[1].metadata) == ("bad", {"model": "m"})


def test_null_content_is_empty_and_text_parts_are_joined(tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:"}}
    parts = [{"type": "text", "text": "red"}, picture, {"type": "input_text", "text": "boots"}]
    calls = [{"id": "1", "type": "function", "function": {"name": "find", "arguments": "{}"}}]
    messages = [
        {"role": "user", "content": parts, "name": "ann"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "assistant", "tool_calls": calls},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"role": "tool", "content": "[]", "tool_call_id": "1"},
    ]
    (conversation,) = read(jsonl(tmp_path / "a.jsonl", {"messages": messages})).conversations
    assert [m.content for m in conversation.messages] == ["red\nboots", "", "", "no", "[]"]
    assert conversation.messages[0].metadata == {"name": "ann", "other_parts": [picture]}
    assert conversation.messages[1].metadata == {"tool_calls": calls}
    assert conversation.messages[4].metadata == {"tool_call_id": "1"}


def test_the_reader_can_be_said(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "a.jsonl", {"id": "x", "messages": [USER, {"role": "assistant", "content": None}]}
    )
    found = read(path, reader="openai")
    assert (found.format, found.conversations[0].id) == ("openai", "x")
    with pytest.raises(TranscriptError, match="id: is required, but is missing"):
        read(jsonl(path, {"messages": [USER]}), reader="convsim")


def test_the_reader_that_is_said_reads_any_ending(tmp_path: Path) -> None:
    assert read(jsonl(tmp_path / "a.log", line()), reader="convsim").conversations[0].id == "c1"


def test_the_first_good_line_settles_the_format(tmp_path: Path) -> None:
    found = read(jsonl(tmp_path / "a.jsonl", {"id": 3}, {"messages": [USER, AGENT]}), skip_bad_lines=True)
    assert (found.format, found.skipped, found.conversations[0].id) == ("openai", 1, "line-2")


def user(content: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": content}]}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"messages": "hi"}, "messages: must be a list of messages, but is 'hi'"),
        ({"messages": [3]}, "messages[0]: must be an object, but is 3"),
        (
            {"messages": [{"role": "moderator", "content": "x"}]},
            f"messages[0].role: must be one of {ROLES}, or a name that is known for one of them, such as human or bot, "
            "but is 'moderator'",
        ),
        (user(3), "messages[0].content: must be text, null or a list of parts, but is 3"),
        (user(["a", 3]), "messages[0].content[1]: must be a part with a type and its text"),
        (
            user([{"type": "text", "text": 3}]),
            "messages[0].content[0]: must be a part with a type and its text",
        ),
        (user([{"txet": "x"}]), "messages[0].content[0]: must be a part with a type and its text"),
        ({}, "messages: must be a list of messages, but is missing"),
        (3, "must be an object, but is 3"),
    ],
)
def test_a_bad_line_is_told_with_its_place(document: object, problem: str, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", document)
    with pytest.raises(TranscriptError) as caught:
        read(path, reader="openai")
    assert str(caught.value) == f"{path}:1: {problem}"
