"""Prompts are files; this renders them and names them by hash."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from convsim._templates import Prompts
from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.persona import Persona

PROMPTED = ("chat", "opening", "transcript", "decide", "choose_item")
"""The prompts of a shopper that is a prompted model."""
MAX_ATTRIBUTES = 3
MAX_MESSAGE_CHARACTERS = 600


FILES = Prompts("convsim.shoppers", trim=False)


def render(
    name: str,
    *,
    persona: Persona,
    history: Sequence[str] = (),
    examples: Sequence[str] = (),
    words: Sequence[str] = (),
) -> str:
    """Fill in the prompt ``prompts/<name>.txt.j2``."""
    return FILES.render(name, persona=persona, history=history, examples=examples, words=words)


@cache
def prompt_hashes(*names: str) -> dict[str, str]:
    """Return the SHA-256 of the prompt files named: what a run's manifest records."""
    return FILES.hashes(*names)


def written(conversation: Conversation, *, n_items: int) -> list[str]:
    """Write a conversation as lines of a transcript; items only where the agent showed them last."""
    messages = [m for m in conversation.messages if m.role in ("user", "assistant")]
    last = max((index for index, m in enumerate(messages) if m.items), default=-1)
    return [_line(m, n_items if index == last else 0) for index, m in enumerate(messages)]


def _line(message: Message, n_items: int) -> str:
    speaker = "Shopper" if message.role == "user" else "Assistant"
    text = " ".join(message.content.split())[:MAX_MESSAGE_CHARACTERS]
    shown = "; ".join(describe(item) for item in message.items[:n_items])
    return without_control_tokens(f"{speaker}: {text}{f' [shows: {shown}]' if shown else ''}")


_LABEL = re.compile(r"(?<!\s)\s+(?=(?:system|user|assistant|shopper)\s*:)", re.IGNORECASE)


@cache
def _control_tokens() -> re.Pattern[str]:
    text = files("convsim.shoppers").joinpath("control_tokens.txt").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return re.compile("|".join(f"(?:{line})" for line in lines), re.IGNORECASE)


def without_control_tokens(text: str) -> str:
    """Part the first character of every control token of a chat from the rest.

    Models in this process read such tokens as plain text already; a server may not.
    """
    return _control_tokens().sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)


def said_to_shopper(message: Message, n_items: int) -> str:
    """Write an agent message as the shopper sees it: its words, then titles, prices and attributes.

    No line of it begins as another speaker's, which a chat that is written out would take for that speaker's turn.
    """
    shown = "\n".join(f"- {describe(item)}" for item in message.items[:n_items])
    said = _LABEL.sub(" ", message.content[: 4 * MAX_MESSAGE_CHARACTERS])
    return said + (f"\n{shown}" if shown else "")


def describe(item: Item) -> str:
    """Write an item in one line, whatever it holds: title, price, and a few attributes."""
    price = f", {item.price:g}" if item.price is not None else ""
    values = [", ".join(map(str, v)) if isinstance(v, list) else str(v) for v in item.attributes.values()]
    listed = " ".join("; ".join(values[:MAX_ATTRIBUTES]).split())
    attributes = f" ({listed})" if values else ""
    title = " ".join((item.title or item.id).split())[:120]
    return f"{title}{price}{attributes[:160]}"
