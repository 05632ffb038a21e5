"""The judge's prompts are files: filled in, shuffled, named by hash, and the chat that they show."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Literal, TypeVar

from convsim._templates import Prompts
from convsim.annotation.definitions import OTHER, Definitions, definitions
from convsim.schema.conversation import Conversation, Item, Message
from convsim.seeds import child_seed

SPEAKERS = {"user": "user", "assistant": "agent"}
FIRST = 2
"""Lines of the beginning that are kept where a chat is too long: they say what the user came for."""
MAX_ITEMS = 6
MAX_TITLE = 80
"""Characters of an item's title."""


def line_of(message: Message, *, max_characters: int) -> str:
    """Write a message as JSON: who speaks, the words, the titles of what the agent showed, and nothing else.

    Only printable characters other than ``<`` and ``>`` stand for themselves, so that no message ends its line, the
    chat or, as a control token, the prompt.
    """
    shown = [_title(item) for item in message.items[:MAX_ITEMS]]
    if len(message.items) > MAX_ITEMS:
        shown.append(f"… and {len(message.items) - MAX_ITEMS} more")
    fields = {"from": SPEAKERS[message.role], "text": shortened(message.content, max_characters)}
    return _quoted(fields | ({"shows": shown} if shown else {}))


def lines_of(conversation: Conversation, *, max_characters: int) -> dict[int, str]:
    """Return the lines of users and agents by their message's index; each is made of its own message alone."""
    return {
        place: line_of(message, max_characters=max_characters)
        for place, message in enumerate(conversation.messages)
        if message.role in SPEAKERS
    }


def shortened(text: str, max_characters: int) -> str:
    """Keep the first two thirds and the last third of what is too long, with a mark between them."""
    if len(text) <= max_characters:
        return text
    tail = max_characters // 3
    head = max_characters - tail
    left_out = len(text) - max_characters
    return f"{text[:head]} [… {left_out} characters left out …] {text[len(text) - tail :]}"


def within(lines: Sequence[str], max_characters: int) -> str:
    """Join the last line, the first two, and of the others the latest that fit; what is left out is counted.

    The last line stays whatever its length.
    """
    room = max_characters - sum(len(line) for line in lines[-1:])
    first: list[str] = []
    for line in lines[:-1][:FIRST]:
        if len(line) > room:
            break
        first.append(line)
        room -= len(line)
    start = max(len(lines) - 1, 0)
    while start > len(first) and len(lines[start - 1]) <= room:
        start -= 1
        room -= len(lines[start])
    gap = [_quoted({"messages_left_out": start - len(first)})] if start > len(first) else []
    return "\n".join([*first, *gap, *lines[start:]])


def _title(item: Item) -> str:
    return " ".join((item.title or item.id).split())[:MAX_TITLE]


def _quoted(fields: dict[str, object]) -> str:
    text = json.dumps(fields, ensure_ascii=False)
    return "".join(c if c.isprintable() and c not in "<>" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if character in "<>" else json.dumps(character)[1:-1]


Form = Literal["schema", "choices"]
PROMPTS: dict[Form, tuple[str, ...]] = {
    "schema": ("message", "conversation", "chat"),
    "choices": ("question", "act"),
}
"""The prompts of each form, by the names of their files."""
FILES = Prompts("convsim.annotation.judge")
Named = TypeVar("Named")


def render(name: str, **values: object) -> str:
    """Fill in the prompt ``prompts/<name>.txt.j2``."""
    return FILES.render(name, **values)


def prompt_hashes(form: Form) -> dict[str, str]:
    """Return the SHA-256 of each prompt of a form, and of the definitions that they state."""
    stated = hashlib.sha256(definitions().model_dump_json().encode()).hexdigest()
    hashes = {**FILES.hashes(*PROMPTS[form]), "definitions": stated}
    return {f"judge_{name}": hashed for name, hashed in hashes.items()}


def shuffled(stated: Definitions, seed: int) -> Definitions:
    """List the definitions in an order drawn by ``seed``; the act that holds where no other does stays last."""
    acts = _shuffled([act for act in stated.acts if act.name != OTHER], seed, "acts")
    last = [act for act in stated.acts if act.name == OTHER]
    return Definitions(
        acts=(*acts, *last), experience=tuple(_shuffled(stated.experience, seed, "experience"))
    )


def _shuffled(listed: list[Named] | tuple[Named, ...], seed: int, name: str) -> list[Named]:
    places = sorted(range(len(listed)), key=lambda place: child_seed(seed, name, place))
    return [listed[place] for place in places]
