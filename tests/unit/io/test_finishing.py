"""What is done for conversations of every reader: control tokens are cut, kept, counted and used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convsim.errors import TranscriptError
from convsim.io import read, write
from tests.unit.io.made import jsonl


def talk(last: str, **fields: Any) -> dict[str, Any]:
    said = [("user", "hi, boots?"), ("assistant", "sure"), ("user", last)]
    return {"messages": [{"role": role, "content": text} for role, text in said], **fields}


ROWS = [
    talk("###STOP###", id="a"), talk("\\giveup", id="b"), talk("great! [ACCEPT]", id="c"), talk("no\n\\end", id="d"),
    talk("[ACCEPT]", id="e", ending="turn_limit"), talk("bye", id="f"),
]  # fmt: skip
SAID = [
    ["hi, boots?"],
    ["hi, boots?"],
    ["hi, boots?", "great!"],
    ["hi, boots?", "no"],
    ["hi, boots?"],
    ["hi, boots?", "bye"],
]
ENDINGS = ["unknown", "left", "accepted", "unknown", "turn_limit", "unknown"]
STOPPED = [["###STOP###"], ["\\giveup"], ["[ACCEPT]"], ["\\end"], ["[ACCEPT]"], None]


@pytest.mark.parametrize("without", [None, "id", "simulator"])
def test_control_tokens_are_no_words_of_a_user_on_either_side(without: str | None, tmp_path: Path) -> None:
    rows = [
        {key: value for key, value in {"simulator": "s", **row}.items() if key != without} for row in ROWS
    ]
    found = read(jsonl(tmp_path / "a.jsonl", *rows))
    assert [[m.content for m in c.user_messages] for c in found] == SAID
    assert [c.ending for c in found] == ENDINGS
    assert [c.metadata.get("stop_tokens") for c in found] == STOPPED
    assert found[2].messages[2].metadata == {"stop_tokens": ["[ACCEPT]"]}
    (warning,) = found.warnings
    assert warning.startswith("5 user messages held control tokens of a simulator")
    assert "'[ACCEPT]' (2), '###STOP###' (1), '\\\\giveup' (1), '\\\\end' (1)" in warning
    assert "3 of them held nothing else and were left out" in warning
    assert "left (1), accepted (1)" in warning


def test_what_was_cut_is_cut_once(tmp_path: Path) -> None:
    found = read(jsonl(tmp_path / "a.jsonl", *ROWS))
    write(tmp_path / "b.jsonl", found)
    again = read(tmp_path / "b.jsonl")
    assert again.conversations == found.conversations
    assert again.warnings == ()


def test_what_an_agent_says_and_what_a_user_took_is_left_alone(tmp_path: Path) -> None:
    row = talk("[ACCEPT]", id="a")
    row["messages"][1]["content"] = "type [DONE]"
    row["messages"][2].update(action="accept", accepted=["B1"])
    (conversation,) = read(jsonl(tmp_path / "a.jsonl", row))
    assert [m.content for m in conversation.messages] == ["hi, boots?", "type [DONE]", ""]
    assert conversation.messages[2].accepted == ("B1",)


def test_tokens_of_ones_own_are_cut_too(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", talk("bye @@END@@", id="a"))
    assert read(path)[0].messages[2].content == "bye @@END@@"
    assert read(path, control_tokens="@@END@@")[0].messages[2].content == "bye"


def test_a_run_of_failures_alone_says_why_they_failed(tmp_path: Path) -> None:
    reasons = ("timeout\nof 60 s", "HTTP 400", "HTTP 400")
    rows = [{"id": f"c{i}", "messages": [], "failure": {"reason": why}} for i, why in enumerate(reasons)]
    with pytest.raises(TranscriptError) as caught:
        read(jsonl(tmp_path / "a.jsonl", *rows))
    assert str(caught.value).endswith(
        "contains no user message in any conversation: all 3 failed: HTTP 400 (2); timeout of 60 s (1)"
    )


def test_reasoning_in_a_log_is_nobodys_words_and_is_kept(tmp_path: Path) -> None:
    row = talk("<think>\nI want to leave.\n</think>\nno, bye ###STOP###", id="a")
    row["messages"][1]["content"] = "<thinking>plan</thinking>Two that fit"
    ordinary = talk("a < b, [thinking] about <b>it</b>", id="b")
    path = jsonl(tmp_path / "a.jsonl", row, ordinary)
    first, second = read(path)
    assert [m.content for m in first.messages] == ["hi, boots?", "Two that fit", "no, bye"]
    assert [m.metadata.get("reasoning") for m in first.messages] == [None, "plan", "I want to leave."]
    assert second.messages[2].content == "a < b, [thinking] about <b>it</b>"
    assert read(path).warnings[0].startswith("2 messages held reasoning of a model (such as <think>)")
