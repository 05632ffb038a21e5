"""Messages in any dress, read for what they are: roles by their other names, content that is null or a list of parts.

A format hands on the messages that it found; this makes those of convsim's JSONL of them, and is applied to whatever a
format of ``convsim.io.formats.known`` yields. ``messages.toml`` lists the names.

The speaker is in ``role``, ``from``, ``author``, ``sender``, ``speaker`` or ``type``, what was said in ``content``,
``parts``, ``text`` or ``value``. Parts that are no text (pictures, calls of tools, reasoning) stay in the message's
metadata as ``other_parts``. A message under ``user`` that is nothing but results of tools, or calls of tools that the
user made, is of the role ``tool``, and says ``requestor: user`` where the user made them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from pydantic import BaseModel, JsonValue

from convsim._inputs import read_toml
from convsim.io.problems import MalformedError, shown

ROLE_KEYS = ("role", "from", "author", "sender", "speaker", "type")
CONTENT_KEYS = ("content", "parts", "text", "value")
CALLS = ("tool_calls", "function_call")


class _Parts(BaseModel):
    text: frozenset[str]
    text_keys: tuple[str, ...]
    tool_call: frozenset[str]
    tool_result: frozenset[str]
    tool_keys: frozenset[str]
    reasoning: frozenset[str]


class _Names(BaseModel):
    roles: dict[str, tuple[str, ...]]
    parts: _Parts


@cache
def _names() -> _Names:
    return _Names.model_validate(read_toml(files("convsim.io.formats").joinpath("messages.toml")))


@cache
def roles() -> dict[str, str]:
    """Return convsim's role of each name of a speaker, in lower case."""
    return {name: role for role, names in _names().roles.items() for name in names}


@dataclass
class Unread:
    """Users' messages of which nothing was read though their content is not empty: their parts, counted."""

    n: int = 0
    parts: Counter[str] = field(default_factory=Counter)


def read_messages(messages: JsonValue, unread: Unread | None = None) -> list[JsonValue]:
    """Return messages as convsim's JSONL has them; raises MalformedError with the place of what is none."""
    if not isinstance(messages, list):
        raise MalformedError(f"must be a list of messages, but is {shown(messages)}", field="messages")
    counted = Unread() if unread is None else unread
    return [_message(message, f"messages[{at}]", counted) for at, message in enumerate(messages)]


def named_by(value: JsonValue) -> JsonValue:
    """Return a number as the name that it is elsewhere; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    try:
        return str(int(value)) if value == int(value) else str(value)
    except ValueError:  # a whole number of more digits than Python writes
        return value


class _Read(NamedTuple):
    """What a content says, the parts of it that are no text, and what they are."""

    text: str
    others: list[JsonValue]
    kinds: set[str]


def _message(message: JsonValue, place: str, unread: Unread) -> JsonValue:
    if not isinstance(message, dict):
        return message
    role_key, role = _role(message, place)
    key = _content_key(message, role_key)
    content = message.get(key) if key else None
    rest: dict[str, JsonValue] = {
        name: value for name, value in message.items() if name not in (role_key, key)
    }
    if key == "parts" and rest.get("content") in ("", None):
        rest.pop("content", None)
    read = _read(content, f"{place}.{key}")
    if read.others:
        rest["other_parts"] = read.others
    calls = read.kinds == {"call"} or (not read.kinds and any(rest.get(name) for name in CALLS))
    if (
        role == "user"
        and not read.text.strip()
        and (calls or (read.kinds and read.kinds <= {"call", "result"}))
    ):
        role = "tool"
        if calls:
            rest.setdefault("requestor", "user")
    elif role == "user" and not read.text and read.others:
        unread.n += 1
        unread.parts.update(_kind_named(part) for part in read.others)
    if isinstance(items := rest.get("items"), list):
        rest["items"] = [
            {**i, "id": named_by(i["id"])} if isinstance(i, dict) and "id" in i else i for i in items
        ]
    if isinstance(accepted := rest.get("accepted"), list):
        rest["accepted"] = [named_by(id) for id in accepted]
    made: dict[str, JsonValue] = {**rest, "role": role, "content": read.text}
    return made


def _role(message: dict[str, JsonValue], place: str) -> tuple[str, str]:
    """Return the key that names the speaker, and convsim's role; raises MalformedError for nobody that is known."""
    found: list[tuple[str, JsonValue]] = []
    for key in ROLE_KEYS if "role" not in message else ROLE_KEYS[:1]:
        name = message.get(key)
        name = name.get("role") if isinstance(name, dict) else name
        if isinstance(name, str) and (role := roles().get(name.strip().lower())):
            return key, role
        if key in message:
            found.append((key, name))
    if not found:
        raise MalformedError("is required, but is missing", field=f"{place}.role")
    key, name = found[0]
    known = ", ".join(_names().roles)
    raise MalformedError(
        f"must be one of {known}, or a name that is known for one of them, such as human or bot, but is {shown(name)}",
        field=f"{place}.{key}",
    )


def _content_key(message: dict[str, JsonValue], role_key: str) -> str | None:
    """Return the key that holds what was said: the first that is not empty, else the first that is there."""
    there = [key for key in CONTENT_KEYS if key in message and key != role_key]
    return next((key for key in there if message[key] not in (None, "", [])), there[0] if there else None)


def _read(content: JsonValue, place: str) -> _Read:
    if isinstance(content, str):
        return _Read(content, [], set())
    if content is None:
        return _Read("", [], set())
    if isinstance(content, dict) and isinstance(inside := content.get("parts"), list):
        content, place = inside, f"{place}.parts"
    elif isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise MalformedError(f"must be text, null or a list of parts, but is {shown(content)}", field=place)
    texts: list[str] = []
    others: list[JsonValue] = []
    kinds: set[str] = set()
    for index, part in enumerate(content):
        kind, text = _part(part)
        if kind is None:
            raise MalformedError("must be a part with a type and its text", field=f"{place}[{index}]")
        kinds.add(kind)
        if text is None:
            others.append(part)
        else:
            texts.append(text)
    return _Read("\n".join(texts), others, kinds)


def _part(part: JsonValue) -> tuple[str | None, str | None]:
    """Return what a part is (``text``, ``call``, ``result``, ``reasoning``, ``other``), and its text.

    None for what is no part at all.
    """
    if isinstance(part, str):
        return "text", part
    if not isinstance(part, dict):
        return None, None
    names = _names().parts
    stated = part.get("type", part.get("kind"))
    kind = stated if isinstance(stated, str) else ""
    if kind in names.reasoning or part.get("thought") is True or "reasoningContent" in part:
        return "reasoning", None
    if kind in names.tool_result or part.keys() & {"functionResponse", "function_response", "toolResult"}:
        return "result", None
    if kind in names.tool_call or kind.startswith("tool-") or part.keys() & names.tool_keys:
        return "call", None
    if kind in names.text or not kind:
        text = _text(part, names.text_keys)
        return (None, None) if text is None else ("text", text)
    # A kind that nobody here has heard of, such as "markdown", with a text is text.
    return ("text", said) if isinstance(said := part.get("text"), str) else ("other", None)


def _text(part: dict[str, JsonValue], keys: tuple[str, ...]) -> str | None:
    """Return the text of a part, which may itself be an object with it."""
    for key in keys:
        text: Any = part.get(key)
        text = text.get("value") if isinstance(text, dict) else text
        if isinstance(text, str):
            return text
    return None


def _kind_named(part: JsonValue) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    return shown(kind, limit=40) if isinstance(kind, str) else "a part without a type"
