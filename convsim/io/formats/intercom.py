"""Intercom's conversations: the first message is ``source``, all others are parts, ordered by time.

Contacts are the user; admins, teams and bots the agent. A note is for colleagues and no message; assignments, and parts
without a body, neither. Bodies are HTML and become text.

Source: intercom-client 7 ``ConversationPart.d.ts``, ``ConversationPartAuthor.d.ts``; developers.intercom.com, also of
version 1 (``conversation_message``, ``user``, ``customers``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from pydantic import JsonValue

from convsim.io.formats.contract import Made, Notes
from convsim.io.formats.fields import (
    Fields,
    an_object,
    first_name,
    format_of_objects,
    in_order,
    labels,
    message,
    moment,
    name,
    objects,
    rating,
    rest,
    role,
    stated,
    text,
)


def _is_intercom(value: JsonValue) -> bool:
    if not isinstance(value, dict):
        return False
    told = _delivered(value)
    parts = told.get("conversation_parts")
    if isinstance(parts, dict):
        return isinstance(parts.get("conversation_parts"), list)
    return isinstance(parts, list) and any(isinstance(told.get(key), dict) for key in FIRST_MESSAGE)


FIRST_MESSAGE = ("source", "conversation_message")
"""The first message, in newer and in older versions of the API."""


def _delivered(value: Fields) -> Fields:
    """Return the conversation that a webhook's notification delivers, or what is none itself."""
    data = value.get("data")
    item = data.get("item") if isinstance(data, dict) else None
    return item if isinstance(item, dict) else value


AUTHORS = {
    "user": "user",
    "lead": "user",
    "contact": "user",
    "visitor": "user",
    "admin": "assistant",
    "team": "assistant",
    "bot": "assistant",
    "operator": "assistant",
}
NOTES = ("note", "note_and_reopen")


def _intercom(record: Fields, notes: Notes) -> Iterator[Made]:
    record = _delivered(record)
    first = next((key for key in FIRST_MESSAGE if record.get(key)), "source")
    source = an_object(record.get(first), first)
    held = record["conversation_parts"]
    parts = held.get("conversation_parts") if isinstance(held, dict) else held
    place = "conversation_parts.conversation_parts" if isinstance(held, dict) else "conversation_parts"
    entries = in_order(objects(parts, place), lambda placed: moment(placed[1].get("created_at")))
    messages: list[JsonValue] = []
    users: list[str] = []
    agents: list[str] = []
    for where, part in [(first, source), *entries]:
        if part.get("part_type") in NOTES:
            notes.count("{n} notes for colleagues are no messages and were left out")
            continue
        raw = text(part.get("body"), f"{where}.body")
        said = html_to_text(raw)
        attachments = part.get("attachments")
        if not said and not attachments:
            continue
        author = an_object(part.get("author"), f"{where}.author")
        speaker = role(author.get("type"), AUTHORS, f"{where}.author.type")
        (users if speaker == "user" else agents).append(first_name(author, "id", "email") or "")
        kept = stated(
            part_type=part.get("part_type"),
            created_at=part.get("created_at"),
            author=name(author.get("type")),
            from_ai_agent=author.get("from_ai_agent"),
            attachments=attachments or None,
        )
        messages.append(message(speaker, said, kept))
    rated = an_object(record.get("conversation_rating"), "conversation_rating")
    left_out = ("id", *FIRST_MESSAGE, "conversation_parts", "conversation_rating", "type")
    yield stated(
        id=name(record.get("id")),
        user=next((user for user in users if user), None) or _contact(record),
        agent=next((agent for agent in agents if agent), None),
        source="intercom",
        messages=messages,
        metadata={**rest(record, *left_out), **({"conversation_rating": rated} if rated else {})},
        **labels(satisfaction=rating(rated.get("rating"), 1, 5)),
    )


def _contact(record: Fields) -> str | None:
    for key in ("contacts", "customers", "user"):
        held = record.get(key)
        held = held.get(key, held) if isinstance(held, dict) else held
        first = held[0] if isinstance(held, list) and held else held
        if isinstance(first, dict) and (found := name(first.get("id"))):
            return found
    return None


TAG = re.compile(r"""<(?:(/?)([a-zA-Z][a-zA-Z0-9]*+)(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+|[!?][^<>]*+)>""")
"""A tag, or a declaration: none holds a ``<``, so that a body is read once from its beginning to its end."""
BLOCKS = frozenset(
    (
        "p",
        "div",
        "br",
        "li",
        "tr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "blockquote",
        "ul",
        "ol",
        "table",
        "hr",
    )
)
UNSEEN = frozenset(("script", "style", "head", "title"))


def html_to_text(body: str) -> str:
    """Return what a reader of an HTML body sees: its text, a line a block, without blank lines.

    ``html.parser`` takes minutes for a few hundred kilobytes of unclosed tags.
    """
    if "<" not in body and "&" not in body:
        return body.strip()
    body = _without_comments(body)
    found: list[str] = []
    unseen: str | None = None
    at = 0
    for tag in TAG.finditer(body):
        named = (tag[2] or "").lower()
        if unseen is None:
            found += [_unescaped(body[at : tag.start()]), "\n" if named in BLOCKS else ""]
            unseen = named if named in UNSEEN and not tag[1] else None
        elif named == unseen and tag[1]:
            unseen = None
        at = tag.end()
    if unseen is None:
        found.append(_unescaped(body[at:]))
    lines = "".join(found).replace("\xa0", " ").split("\n")
    return "\n".join(line.strip() for line in lines if line.strip())


def _without_comments(body: str) -> str:
    kept: list[str] = []
    at = 0
    while (start := body.find("<!--", at)) >= 0:
        kept.append(body[at:start])
        end = body.find("-->", start + 4)
        if end < 0:
            return "".join(kept)
        at = end + 3
    return "".join([*kept, body[at:]])


def _unescaped(piece: str) -> str:
    """Return a text with its entities read; as it is where one is a number of thousands of digits."""
    try:
        return unescape(piece)
    except ValueError:
        return piece


INTERCOM = format_of_objects(
    "intercom",
    "Intercom's conversations",
    ("id", "source", "conversation_parts", "contacts", "created_at"),
    _is_intercom,
    _intercom,
)
