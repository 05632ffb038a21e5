"""ChatGPT's export: a tree of messages, of which the current branch is read.

An edited prompt or an answer asked for again makes a branch. The one that ends in ``current_node`` is read; where that
is not said, the one whose last message is newest. Hidden messages (weight 0), thoughts, and what the model says to a
tool are no utterances; of what was spoken the transcription is.

Source: whychose.com/seo/chatgpt-conversations-json-format; difegam.github.io/chatgpt-to-markdown/reference/data-models.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from convsim.io.formats.contract import Format, Made, Notes, Record
from convsim.io.formats.fields import (
    Fields,
    an_object,
    first_name,
    known_object,
    moment,
    name,
    rest,
    stated,
    step,
)
from convsim.io.problems import MalformedError, shown

NO_SPEECH = frozenset(
    ("thoughts", "reasoning_recap", "user_editable_context", "model_editable_context", "app_pairing")
)


THOUGHT = ("analysis", "commentary")
"""Channels on which a model thinks, and says what it does."""
CHATGPT_KEYS = ("title", "create_time", "mapping", "current_node", "conversation_id")


def _is_chatgpt(value: JsonValue) -> bool:
    nodes = value.get("mapping") if isinstance(value, dict) else None
    if not isinstance(nodes, dict) or not nodes:
        return False
    node = next(iter(nodes.values()))
    return isinstance(node, dict) and bool(node.keys() & {"message", "children", "parent"})


def _chatgpt(record: Fields, notes: Notes) -> Iterator[Made]:
    nodes = an_object(record["mapping"], "mapping")
    messages = [
        said
        for node in _branch(record, nodes)
        if (said := _of_node(an_object(nodes[node], step("mapping", node)), step("mapping", node)))
        is not None
    ]
    if (left_out := _n_branches(nodes) - 1) > 0:
        notes.count("{n} branches of chats (edited prompts, answers asked for again) were left out", left_out)
    models = [
        found
        for said in messages
        if isinstance(kept := said.get("metadata"), dict) and (found := name(kept.get("model_slug")))
    ]
    yield stated(
        id=first_name(record, "conversation_id", "id"),
        agent=name(record.get("default_model_slug")) or (models[-1] if models else None),
        source="chatgpt",
        messages=[*messages],
        metadata=rest(record, "conversation_id", "id", "mapping"),
    )


def _chats(record: Record, notes: Notes) -> Iterator[Made]:
    """Read a chat; the other files of an export, about the account and its settings, are counted."""
    if record.file is not None and not _is_chatgpt(record.value):
        notes.count("{n} records of other files than the chats' were left out")
        return
    yield from _chatgpt(known_object(record.value, "ChatGPT's export", CHATGPT_KEYS, _is_chatgpt), notes)


def _branch(record: Fields, nodes: Fields) -> list[str]:
    """Return the current branch, first message first; raises MalformedError where it cannot be followed."""
    end = name(record.get("current_node"))
    if end is None or end not in nodes:
        end = max(_leaves(nodes), key=lambda node: _time_of(nodes[node]) or 0.0, default=None)
    path: list[str] = []
    seen: set[str] = set()
    while end is not None:
        if end in seen:
            raise MalformedError("runs in a circle", field=f"{step('mapping', end)}.parent")
        node = nodes.get(end)
        if not isinstance(node, dict):
            found = "missing" if end not in nodes else shown(node)
            raise MalformedError(f"must be a message of the chat, but is {found}", field=step("mapping", end))
        seen.add(end)
        path.append(end)
        end = name(node.get("parent"))
    return path[::-1]


def _leaves(nodes: Fields) -> list[str]:
    parents = {name(node.get("parent")) for node in nodes.values() if isinstance(node, dict)}
    return [node for node in nodes if node not in parents]


def _n_branches(nodes: Fields) -> int:
    return sum(1 for node in _leaves(nodes) if isinstance(nodes[node], dict))


def _time_of(node: JsonValue) -> float | None:
    said = node.get("message") if isinstance(node, dict) else None
    return moment(said.get("create_time")) if isinstance(said, dict) else None


def _of_node(node: Fields, place: str) -> Fields | None:
    if node.get("message") is None:
        return None
    said = an_object(node["message"], f"{place}.message")
    author = an_object(said.get("author"), f"{place}.message.author")
    content = an_object(said.get("content"), f"{place}.message.content")
    about = an_object(said.get("metadata"), f"{place}.message.metadata")
    if said.get("weight") == 0 or about.get("is_visually_hidden_from_conversation") is True:
        return None
    if str(content.get("content_type")) in NO_SPEECH or str(said.get("channel")) in THOUGHT:
        return None
    speaker = name(author.get("role"))
    if speaker == "assistant" and said.get("recipient") not in (None, "all"):
        speaker = "tool"
    parts = content.get("parts") if "parts" in content else content.get("text", content.get("result"))
    entries = parts if isinstance(parts, list) else []
    texts = [found for part in entries if (found := _text(part)) is not None]
    others = [part for part in entries if part and _text(part) is None]
    kept = stated(
        create_time=said.get("create_time"),
        model_slug=about.get("model_slug"),
        author=name(author.get("name")),
        other_parts=[*others] if others else None,
    )
    said_text = "\n".join(texts) if isinstance(parts, list) else parts
    return {"role": speaker, "content": said_text, **stated(metadata=kept)}


def _text(part: JsonValue) -> str | None:
    """Return the text of a part, which of what was spoken is its transcription."""
    part = part.get("text") if isinstance(part, dict) else part
    return part if isinstance(part, str) else None


CHATGPT = Format("chatgpt", "ChatGPT's export", CHATGPT_KEYS, _is_chatgpt, _chats)
