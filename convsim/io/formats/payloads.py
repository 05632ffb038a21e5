"""What was said in the input or output of a traced call, whichever library wrote it: a list of messages, or a text.

Source: langchain-ai/langsmith-sdk ``python/langsmith/schemas.py`` (017fb358) for runs; LangChain's ``dumpd`` and
``message_to_dict`` for its messages; OpenAI's chat completions (``choices``).
"""

from __future__ import annotations

from pydantic import JsonValue

from convsim.io.formats.fields import Fields, name, rest, stated, unpacked

NESTED = (
    "messages",
    "new_message",
    "message",
    "choices",
    "generations",
    "kwargs",
    "data",
    "history",
    "chat_history",
)
SPOKEN = (
    "input",
    "question",
    "query",
    "prompt",
    "user_input",
    "user_message",
    "output",
    "answer",
    "response",
    "result",
    "completion",
    "generated_text",
    "output_text",
    "text",
    "content",
)
"""Keys that hold what was said where a payload is an object of an application's own, the first that it has."""
LANGCHAIN = {
    "human": "user",
    "ai": "assistant",
    "aimessagechunk": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
    "humanmessage": "user",
    "aimessage": "assistant",
    "systemmessage": "system",
    "toolmessage": "tool",
    "functionmessage": "tool",
}
PAIRED_ROLES = {**LANGCHAIN, "user": "user", "assistant": "assistant"}
MAX_DEPTH = 8


def spoken(payload: JsonValue, speaker: str, *, depth: int = 0) -> list[JsonValue]:
    """Return the messages of a payload; a bare text is the ``speaker``'s. None where nothing is said in it."""
    payload = unpacked(payload)
    if depth > MAX_DEPTH or payload is None:
        return []
    if isinstance(payload, str):
        return [{"role": speaker, "content": payload}] if payload.strip() else []
    if isinstance(payload, list):
        return _of_list(payload, speaker, depth)
    return _of_object(payload, speaker, depth) if isinstance(payload, dict) else []


def _of_list(payload: list[JsonValue], speaker: str, depth: int) -> list[JsonValue]:
    if _is_pair(payload) and (said_by := PAIRED_ROLES.get(str(payload[0]).lower())):
        return [{"role": said_by, "content": payload[1]}]
    if payload and all(isinstance(each, list) for each in payload) and not _is_pair(payload[0]):
        return spoken(payload[0], speaker, depth=depth + 1)  # batches of one call
    if payload and all(_is_text_part(each) for each in payload):
        return [{"role": speaker, "content": payload}]
    return [said for each in payload for said in _entry(each, speaker, depth)]


def _entry(entry: JsonValue, speaker: str, depth: int) -> list[JsonValue]:
    """Return what an entry of a history says; one of a kind that nobody knows is nobody's, and refused later on."""
    if isinstance(entry, dict) and "role" not in entry and _langchain_role(entry) is None:
        kind = (
            entry["id"][-1] if _is_constructor(entry) and isinstance(entry["id"], list) else entry.get("type")
        )
        held = entry.get("kwargs", entry)
        if isinstance(kind, str) and isinstance(held, dict) and "content" in held:
            return [{"role": kind, "content": held["content"]}]
    return spoken(entry, speaker, depth=depth + 1)


def _is_pair(value: JsonValue) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value)


def _is_text_part(value: JsonValue) -> bool:
    return (
        isinstance(value, dict)
        and "role" not in value
        and value.get("type") in ("text", "output_text", "input_text")
    )


def _of_object(payload: Fields, speaker: str, depth: int) -> list[JsonValue]:
    if isinstance(payload.get("role"), str) and payload.keys() & {"content", "parts", "tool_calls", "text"}:
        return [payload]
    if isinstance(payload.get("parts"), list):
        return [{"role": speaker, "parts": payload["parts"]}]
    if said_by := _langchain_role(payload):
        return _langchain(payload, said_by)
    for key in NESTED:
        if isinstance(payload.get(key), list | dict) and (
            found := spoken(payload[key], speaker, depth=depth + 1)
        ):
            return found
    for key in SPOKEN:
        if payload.get(key) not in (None, "", [], {}) and (
            found := spoken(payload[key], speaker, depth=depth + 1)
        ):
            return found
    return []


def _is_constructor(payload: Fields) -> bool:
    return (
        payload.get("type") == "constructor" and isinstance(payload.get("id"), list) and bool(payload["id"])
    )


def _langchain_role(payload: Fields) -> str | None:
    if _is_constructor(payload) and isinstance(path := payload["id"], list):
        return LANGCHAIN.get(str(path[-1]).lower().removesuffix("chunk"))
    if "content" in payload or isinstance(payload.get("data"), dict):
        return LANGCHAIN.get(str(payload.get("type")).lower())
    return None


def _langchain(payload: Fields, said_by: str) -> list[JsonValue]:
    for key in ("kwargs", "data"):
        if isinstance(inner := payload.get(key), dict):
            payload = inner
            break
    content = payload.get("content")
    kept = rest(payload, "content", "type", "role", "id", "response_metadata", "usage_metadata", "lc")
    own = name(payload.get("id"))
    return [{"role": said_by, "content": content, **stated(metadata={**kept, **stated(id=own)})}]
