"""Chats as applications keep them: the AI SDK's UI messages, and items of OpenAI's Responses API.

- **AI SDK**: messages with ``parts``, one beside the other or a row each, grouped by their chat and ordered by time.
  Source: ai-sdk.dev/docs/reference/ai-sdk-core/ui-message (versions 5 to 7).
- **Responses**: what was asked (``input``) and answered (``output``); responses that continue another one by
  ``previous_response_id`` or lie in one ``conversation`` are one conversation. Items in rows of their own are one, too.
  Source: platform.openai.com/docs/api-reference/responses; openresponses.org/reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from convsim.io.formats.calls import Call, joined, placed
from convsim.io.formats.contract import GroupedFormat, Made, Notes, Record
from convsim.io.formats.fields import (
    Fields,
    an_object,
    first_name,
    in_order,
    is_list_of,
    moment,
    name,
    objects,
    rest,
    stated,
)
from convsim.io.formats.openai_messages import GROUPED_BY
from convsim.io.problems import MalformedError


def _is_ui_message(value: JsonValue) -> bool:
    """Tell a message of parts; one that names its chat by an unknown key is none that could be grouped."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("role"), str)
        and isinstance(value.get("parts"), list)
        and "messages" not in value
        and not any(_groups(key) and key not in CHAT_IDS for key in value)
    )


CHAT_IDS = ("chatId", "chat_id", "conversation_id", "threadId", "thread_id", "sessionId", "session_id")
TIMES = ("createdAt", "created_at", "timestamp")


def _ui_messages(records: Iterable[Record], notes: Notes) -> Iterator[Made]:
    chats: dict[str | None, dict[str, Fields]] = {}
    users: dict[str | None, str] = {}
    for number, record in enumerate(records):
        said = record.value
        if not _is_ui_message(said) or not isinstance(said, dict):
            yield record.bad("must be a message with a role and parts")
            continue
        chat = first_name(said, *CHAT_IDS)
        messages = chats.setdefault(chat, {})
        own = name(said.get("id")) or f"#{number}"
        if own in messages:
            notes.count("{n} messages repeat an id of their chat and were left out")
            continue
        if user := first_name(said, "userId", "user_id"):
            users[chat] = user
        messages[own] = said
    for chat, messages in chats.items():
        ordered = in_order(list(messages.values()), _said_at)
        yield placed(
            stated(id=chat, user=users.get(chat), source="ai-sdk", messages=[*map(_ui_message, ordered)])
        )


def _said_at(said: Fields) -> float | None:
    about = said.get("metadata")
    told = {**(about if isinstance(about, dict) else {}), **said}
    return next((found for key in TIMES if (found := moment(told.get(key))) is not None), None)


def _ui_message(said: Fields) -> Fields:
    return {
        "role": said["role"],
        "parts": said["parts"],
        **stated(metadata=rest(said, "role", "parts", "content", *CHAT_IDS)),
    }


def _groups(key: str) -> bool:
    """Tell a key that says which conversation a row belongs to."""
    return any(word in key.lower() for word in GROUPED_BY)


ITEMS = frozenset(
    (
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "web_search_call",
        "file_search_call",
        "computer_call",
        "computer_call_output",
        "code_interpreter_call",
        "image_generation_call",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_call",
        "mcp_list_tools",
        "mcp_approval_request",
        "mcp_approval_response",
        "custom_tool_call",
        "custom_tool_call_output",
        "item_reference",
        "compaction",
    )
)


def _is_item(value: JsonValue) -> bool:
    """Tell a message of the Responses API by its type and content, and any other item by its type and its fields."""
    if not isinstance(value, dict) or str(value.get("type")) not in ITEMS or any(map(_groups, value)):
        return False
    return (
        "role" in value
        if value["type"] == "message"
        else bool(value.keys() & {"call_id", "summary", "status"})
    )


def _is_response(value: JsonValue) -> bool:
    if not isinstance(value, dict):
        return False
    request, response = value.get("request"), value.get("response")
    if isinstance(request, dict) and isinstance(response, dict):
        return "input" in request and _is_response(response)
    output = value.get("output")
    return isinstance(output, list) and (
        value.get("object") == "response"
        or ("input" in value and is_list_of(output, "type") and _is_item(output[0]))
    )


@dataclass
class _Chain:
    """Responses that continue one another."""

    calls: list[Call] = field(default_factory=list)
    about: Fields = field(default_factory=dict)
    agent: str | None = None
    user: str | None = None


def _responses(records: Iterable[Record], notes: Notes) -> Iterator[Made]:
    chains: dict[str, _Chain] = {}
    chain_of: dict[str, str] = {}
    items: list[JsonValue] = []
    for number, record in enumerate(records):
        value = record.value
        if _is_item(value):
            items.append(value)
            continue
        if not isinstance(value, dict) or not _is_response(value):
            yield record.bad("must be a response with input and output, or an item of one")
            continue
        request, response = _two(value)
        told = {**request, **response}
        own = name(response.get("id")) or f"#{number}"
        before = name(told.get("previous_response_id"))
        shared = told.get("conversation")
        key = name(shared) if not isinstance(shared, dict) else name(shared.get("id"))
        key = key or chain_of.get(before or "", before) or own
        chain_of[own] = key
        chain = chains.setdefault(key, _Chain())
        try:
            given = _input(told.get("input", []), request)
            call = Call(given, _spoken(response.get("output"), "output"), moment(told.get("created_at")), own)
        except MalformedError as bad:
            yield record.at(bad)
            continue
        chain.calls.append(call)
        chain.agent = name(told.get("model")) or chain.agent
        chain.user = first_name(told, "user", "safety_identifier") or chain.user
        chain.about = chain.about or an_object(told.get("metadata"), "metadata")
    if items:
        yield stated(source="openai-responses", messages=_spoken(items, ""))
    for key, chain in chains.items():
        yield placed(
            stated(
                id=key,
                agent=chain.agent,
                user=chain.user,
                source="openai-responses",
                messages=joined(chain.calls, notes),
                metadata=chain.about,
            )
        )


def _two(value: Fields) -> tuple[Fields, Fields]:
    """Return what was asked and what was answered."""
    request, response = value.get("request"), value.get("response")
    if isinstance(request, dict) and isinstance(response, dict):
        return request, response
    return {}, value


def _input(given: JsonValue, request: Fields) -> list[JsonValue]:
    said: list[JsonValue] = []
    if isinstance(instructions := request.get("instructions"), str) and instructions:
        said.append({"role": "system", "content": instructions})
    if isinstance(given, str):
        return [*said, {"role": "user", "content": given}]
    return [*said, *_spoken(given, "input")]


def _spoken(items: JsonValue, place: str) -> list[JsonValue]:
    """Make messages of items: a call of a tool and its result are of the role ``tool``, a thought is none."""
    found: list[JsonValue] = []
    for _, item in objects(items, place):
        kind = item.get("type", "message")
        if kind == "message":
            found.append({"role": item.get("role"), "content": item.get("content"), **_kept(item)})
        elif kind not in ("reasoning", "item_reference", "compaction"):
            result = item.get("output")
            content = result if isinstance(result, str) else ""
            found.append({"role": "tool", "content": content, "metadata": {"item": item}})
    return found


def _kept(item: Fields) -> Fields:
    return stated(metadata=rest(item, "type", "role", "content", "status"))


AI_SDK = GroupedFormat(
    "ai-sdk",
    "UI messages of the AI SDK",
    ("id", "role", "parts", "chatId", "createdAt"),
    _is_ui_message,
    _ui_messages,
)
RESPONSES = GroupedFormat(
    "openai-responses",
    "OpenAI's Responses",
    ("input", "output", "previous_response_id", "object"),
    lambda value: _is_response(value) or _is_item(value),
    _responses,
)
