"""Messages in any dress: who says what, worked out by hand for each way to write it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convsim.errors import TranscriptError
from convsim.io import describe, read
from tests.unit.io.made import jsonl

YES = {"role": "assistant", "content": "yes"}
CALL = {"id": "t", "type": "function", "function": {"name": "toggle", "arguments": "{}"}}
Said = list[tuple[str, str]]

DRESSES: dict[str, tuple[list[Any], Said]] = {
    "OpenTelemetry": (
        [
            {"role": "user", "parts": [{"type": "text", "content": "find boots"}]},
            {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, {"type": "tool_call"}]},
            {"role": "user", "parts": [{"type": "tool_call_response", "id": "1", "response": []}]},
            {"role": "assistant", "parts": [{"type": "text", "content": "none"}], "finish_reason": "stop"},
        ],
        [("user", "find boots"), ("assistant", ""), ("tool", ""), ("assistant", "none")],
    ),
    "AI SDK": (
        [
            {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "hi"}]},
            {"id": "m2", "role": "assistant", "content": "", "parts": [
                {"type": "step-start"}, {"type": "reasoning", "text": "hm"}, {"type": "tool-search", "state": "done"},
                {"type": "text", "text": "yes"}, {"type": "text", "text": "two"},
            ]},
        ],
        [("user", "hi"), ("assistant", "yes\ntwo")],
    ),
    "Gemini": (
        [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [{"text": "let me think", "thought": True}, {"functionCall": {"name": "f"}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]},
            {"role": "model", "parts": [{"text": "yes"}]},
        ],
        [("user", "hi"), ("assistant", ""), ("tool", ""), ("assistant", "yes")],
    ),
    "Anthropic": (
        [
            {"role": "user", "content": "find boots"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "let me look"},
                {"type": "tool_use", "id": "t", "name": "search", "input": {}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "[]"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "none found"}]},
        ],
        [("user", "find boots"), ("assistant", "let me look"), ("tool", ""), ("assistant", "none found")],
    ),
    "tool result with words": (
        [{"role": "user", "content": [{"type": "tool_result", "content": "[]"}, {"type": "text", "text": "so?"}]}, YES],
        [("user", "so?"), ("assistant", "yes")],
    ),
    "Bedrock": (
        [
            {"role": "user", "content": [{"text": "hi"}]},
            {"role": "assistant", "content": [{"toolUse": {"name": "f"}}]},
            {"role": "user", "content": [{"toolResult": {"content": [{"text": "x"}]}}]},
            {"role": "assistant", "content": [{"reasoningContent": {}}, {"text": "yes"}]},
        ],
        [("user", "hi"), ("assistant", ""), ("tool", ""), ("assistant", "yes")],
    ),
    "a user who calls tools": (
        [
            {"role": "user", "content": "my data is slow"}, YES,
            {"role": "user", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "t", "content": "ok"}, {"role": "user", "content": "done"}, YES,
        ],
        [
            ("user", "my data is slow"), ("assistant", "yes"), ("tool", ""), ("tool", "ok"), ("user", "done"),
            ("assistant", "yes"),
        ],
    ),
    "OpenAI's older function": (
        [{"role": "user", "content": "hi"}, {"role": "assistant", "content": None, "function_call": {}},
         {"role": "function", "name": "f", "content": "[]"}, YES],
        [("user", "hi"), ("assistant", ""), ("tool", "[]"), ("assistant", "yes")],
    ),
    "Assistants API": (
        [{"role": "user", "content": [{"type": "text", "text": {"value": "hi", "annotations": []}}]}, YES],
        [("user", "hi"), ("assistant", "yes")],
    ),
    "ChatGPT export": (
        [{"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["hi", "you"]}}, YES],
        [("user", "hi\nyou"), ("assistant", "yes")],
    ),
    "LangChain": (
        [{"type": "human", "content": "hi"}, {"type": "ai", "content": "yes"}],
        [("user", "hi"), ("assistant", "yes")],
    ),
    "ShareGPT": (
        [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "yes"}],
        [("user", "hi"), ("assistant", "yes")],
    ),
    "names": (
        [
            {"role": role, "content": "x"}
            for role in ("Human", "AI", "customer", "BOT", "USER", "AGENT", "client", "Model")
        ],
        [(role, "x") for role in ("user", "assistant") * 4],
    ),
    "a kind of text that is new": (
        [{"role": "user", "content": [{"type": "markdown", "text": "hi"}]}, YES],
        [("user", "hi"), ("assistant", "yes")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("with_id", [False, True])
@pytest.mark.parametrize("dress", DRESSES)
def test_it_is_read_for_what_it_is(dress: str, with_id: bool, tmp_path: Path) -> None:
    messages, said = DRESSES[dress]
    row = {"messages": messages, **({"id": 7, "user": 17} if with_id else {})}
    if (
        "role" not in messages[0]
    ):  # no conversation by itself: only a format whose messages these are hands them on
        messages.append({"role": "system", "content": ""})
        said = [*said, ("system", "")]
    (conversation,) = read(jsonl(tmp_path / "a.jsonl", row))
    assert [(m.role, m.content) for m in conversation.messages] == said
    assert (conversation.id, conversation.user) == (("7", "17") if with_id else ("line-1", None))
    messages[:] = [m for m in messages if m != {"role": "system", "content": ""}]


def test_parts_that_are_no_text_stay_in_metadata(tmp_path: Path) -> None:
    messages, _ = DRESSES["Anthropic"]
    (conversation,) = read(jsonl(tmp_path / "a.jsonl", {"messages": messages}))
    parts: list[Any] = [m.metadata.get("other_parts", []) for m in conversation.messages]
    kinds = [[part["type"] for part in each] for each in parts]
    assert kinds == [[], ["thinking", "tool_use"], ["tool_result"], []]
    calls, _ = DRESSES["a user who calls tools"]
    (conversation,) = read(jsonl(tmp_path / "a.jsonl", {"messages": calls}))
    assert conversation.messages[2].metadata == {"tool_calls": [CALL], "requestor": "user"}


PICTURE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}
HI = {"role": "user", "content": "hi"}


def test_more_than_a_twentieth_of_unread_user_messages_is_refused_and_fewer_are_counted(
    tmp_path: Path,
) -> None:
    with pytest.raises(TranscriptError) as caught:
        read(jsonl(tmp_path / "a.jsonl", {"messages": [HI, YES] * 18 + [PICTURE, YES]}))
    assert (
        "1 of 19 user messages are empty: nothing was read of their content, which has 'image_url' (1)"
        in str(caught.value)
    )
    found = read(jsonl(tmp_path / "a.jsonl", {"messages": [HI, YES] * 19 + [PICTURE, YES]}))
    assert found.warnings == (
        "1 of 20 user messages are empty: nothing was read of their content, which has 'image_url' (1)",
    )


def test_a_user_who_said_nothing_is_no_misreading(tmp_path: Path) -> None:
    silent = [{"role": "user", "content": ""}, YES, {"role": "user", "content": None}, YES]
    assert read(jsonl(tmp_path / "a.jsonl", {"messages": silent})).warnings == ()


def test_users_who_mostly_say_nothing_are_told(tmp_path: Path) -> None:
    silent = [{"role": "user", "content": None}, YES] * 7
    (warning,) = read(jsonl(tmp_path / "a.jsonl", {"messages": [*silent, *[HI, YES] * 6]})).warnings
    assert warning.startswith("7 of 13 user messages are empty in the file")
    assert read(jsonl(tmp_path / "a.jsonl", {"messages": [*silent, *[HI, YES] * 7]})).warnings == ()


def test_a_file_in_which_no_agent_speaks_is_refused_with_the_roles_that_were_found(tmp_path: Path) -> None:
    rows = [{"messages": [HI, {"role": "tool", "content": "x"}, HI]}] * 2
    with pytest.raises(
        TranscriptError, match=r"no message of an agent in any .*: user \(4\), tool \(2\)|are user"
    ):
        read(jsonl(tmp_path / "a.jsonl", *rows))
    ours = read(jsonl(tmp_path / "a.jsonl", {"id": "a", "messages": [HI]}))
    (warning,) = describe(ours).warnings
    assert warning.startswith("no conversation has a message of the agent")


def test_an_agent_under_the_role_system_is_told_by_its_answers(tmp_path: Path) -> None:
    talk = [("user", "i need a hotel"), ("system", "which area?"), ("user", "the centre"), ("system", "done")]
    rows = [{"id": f"c{i}", "messages": [{"role": r, "content": c} for r, c in talk]} for i in range(3)]
    rows[0]["messages"].insert(0, {"role": "system", "content": "You are an agent. " * 30})  # type: ignore[attr-defined]
    rows[1]["messages"].insert(0, {"role": "system", "content": "Welcome!"})  # type: ignore[attr-defined]
    found = read(jsonl(tmp_path / "a.jsonl", *rows))
    answers = ["user", "assistant", "user", "assistant"]
    assert [[m.role for m in c.messages] for c in found] == [
        ["system", *answers], ["assistant", *answers], answers,
    ]  # fmt: skip
    assert found.warnings[0].startswith(
        "the agent speaks under the role system: 7 messages were read as the agent's"
    )


def test_a_prompt_under_system_beside_an_agent_stays_one(tmp_path: Path) -> None:
    talk = [HI, {"role": "system", "content": "be nice"}, YES]
    (conversation,) = read(jsonl(tmp_path / "a.jsonl", {"id": "a", "messages": talk}))
    assert [m.role for m in conversation.messages] == ["user", "system", "assistant"]


def test_numbers_are_names_where_names_are_asked_for(tmp_path: Path) -> None:
    shown = {"role": "assistant", "content": "this?", "items": [{"id": 12, "title": "Boot"}]}
    taken = {"role": "user", "content": "yes", "accepted": [12]}
    row = {"id": 5, "user": 17.0, "task": 3, "agent": 0, "messages": [HI, shown, taken]}
    (found,) = read(jsonl(tmp_path / "a.jsonl", row))
    assert (found.id, found.user, found.task, found.agent) == ("5", "17", "3", "0")
    assert (found.messages[1].items[0].id, found.messages[2].accepted) == ("12", ("12",))
