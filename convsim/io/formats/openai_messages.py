"""convsim's own JSONL and plain OpenAI messages: objects with ``messages``.

What else stands beside ``messages`` is read as in convsim JSONL where convsim knows its name, and kept in ``metadata``
where it does not; so are a message's ``tool_calls``, ``name`` and the like. A line without an ``id`` gets
``line-<number>``. Parts that are not text stay in the message's metadata as ``other_parts``.

What is convsim's but for the dress of its messages (a role ``human``, content that is a list of parts) is read as
OpenAI's. A bare list of messages is one conversation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from pydantic import JsonValue

from convsim.io.formats.contract import Format, Made, Notes, Record
from convsim.io.jsonl import conversation_of
from convsim.io.problems import MalformedError, shown

CONTENT_KEYS = frozenset({"content", "parts", "tool_calls", "text"})
GROUPED_BY = ("conversation", "session", "thread", "dialog", "trace", "chat")
"""What is in the name of a key that says which conversation a row belongs to."""
HEAD_MESSAGES = 8


def _has_messages(value: JsonValue) -> bool:
    if not isinstance(value, dict) or not isinstance(messages := value.get("messages"), list):
        return False
    return not messages or any(isinstance(m, dict) and "role" in m for m in messages[:HEAD_MESSAGES])


def _is_convsim(value: JsonValue) -> bool:
    return _has_messages(value) and isinstance(value, dict) and "id" in value


def _convsim(record: Record, _: Notes) -> Iterator[Made]:
    value = record.value
    if _is_dressed(value):
        yield value
        return
    try:
        made = conversation_of(value)
    except MalformedError:
        if not isinstance(value, dict) or "id" not in value or not isinstance(value.get("messages"), list):
            raise
        yield value
    else:
        yield made


def _is_dressed(value: JsonValue) -> TypeGuard[dict[str, JsonValue]]:
    """Tell whether a message says in another key what its content, which is empty, does not."""
    messages = value.get("messages") if isinstance(value, dict) else None
    return isinstance(messages, list) and any(
        isinstance(m, dict) and not m.get("content") and not m.keys().isdisjoint(SAID_ELSEWHERE)
        for m in messages
    )


SAID_ELSEWHERE = ("parts", "tool_calls", "function_call")


def _strict(record: Record, _: Notes) -> Iterator[Made]:
    yield conversation_of(record.value)


def _openai(record: Record, _: Notes) -> Iterator[Made]:
    value = record.value
    if not isinstance(value, dict):
        raise MalformedError(f"must be an object, but is {shown(value)}")
    if "messages" not in value:
        raise MalformedError("must be a list of messages, but is missing", field="messages")
    yield value


def _are_messages(value: JsonValue) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(
        isinstance(m, dict)
        and "role" in m
        and not m.keys().isdisjoint(CONTENT_KEYS)
        and not any(word in key.lower() for key in m for word in GROUPED_BY)
        for m in value[:HEAD_MESSAGES]
    )


def _messages(record: Record, _: Notes) -> Iterator[Made]:
    if not isinstance(record.value, list):
        raise MalformedError(f"must be a list of messages, but is {shown(record.value)}")
    yield {"messages": record.value}


CONVSIM = Format("convsim", "convsim JSONL", ("id", "messages"), _is_convsim, _convsim)
STRICT = Format("convsim", "convsim JSONL", ("id", "messages"), _is_convsim, _strict)
"""What is read where convsim's own format is asked for by its name."""
OPENAI = Format("openai", "plain OpenAI messages", ("messages",), _has_messages, _openai)
MESSAGES = Format("messages", "a list of OpenAI messages", ("role", "content"), _are_messages, _messages)
