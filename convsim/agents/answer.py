"""What an endpoint or a program may send for an answer, where a study says its parts stand, and why it may not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from convsim._text import MAX_READ, one_line, shown
from convsim.errors import AgentError
from convsim.lifting import MAX_ANSWER_BYTES, Events, Form, to_reply
from convsim.lifting.moves import HTML_STARTS
from convsim.schema.protocols import AgentReply

MAX_EVENTS = 100_000
"""Of a stream."""
USUAL = Form()


@dataclass(kw_only=True)
class Answering:
    """The settings of every agent whose answers may be of a form of their own.

    ``content`` and ``items`` are paths in an answer, such as ``"reply.text"`` and ``"data.products"``; ``fields`` has
    those of an item's ``id``, ``title``, ``price`` and ``attributes``. What is not set is where it mostly is.
    """

    content: str = ""
    items: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def form(self, owner: str) -> Form:
        """Return where the parts of an answer stand; raises InputError for what is no such place."""
        return Form.of(owner, self.content, self.items, self.fields)


def parse_answer(
    body: bytes, agent: str, *, answers: str | None = None, kind: str | None = None, form: Form = USUAL
) -> AgentReply:
    """Make a reply of what ``agent`` sent: JSON, or over HTTP plain text or a stream too.

    Args:
        body: What was sent.
        agent: How errors call it.
        answers: The id of the conversation that was asked about; an answer that names another is refused.
        kind: The Content-Type of an HTTP response; None for a line of a program, which is always JSON.
        form: Where the parts of an answer stand.

    Raises:
        AgentError: As ``to_reply`` does; or it is nothing of this.
    """
    if len(body) > MAX_ANSWER_BYTES:
        raise AgentError(f"{agent} answered with more than {MAX_ANSWER_BYTES:,} bytes")
    start = one_line(body[:MAX_READ].decode("utf-8", "replace"))
    if start.lower().startswith(HTML_STARTS):
        raise AgentError(f"{agent} answered with a web page instead of JSON: {start:.80}")
    answer = _read(body, agent, start=start, kind=kind)
    named = answer.get("conversation_id") if isinstance(answer, dict) else None
    if answers is not None and named is not None and named != answers:
        raise AgentError(
            f"{agent} answered about conversation {shown(named)}, but was asked about {answers}: its answer is late, "
            "or it repeats another conversation_id"
        )
    return to_reply(answer, agent, form)


def _read(body: bytes, agent: str, *, start: str, kind: str | None) -> object:
    """Return the object, the list of messages, the text or the stream that a body is."""
    sort = (kind or "").partition(";")[0].strip().lower()
    if kind is not None and (sort == "text/event-stream" or start.startswith(("data:", "event:"))):
        return _stream(_events(body.decode("utf-8", "replace")), agent)
    try:
        answer = _json(body)
    except (ValueError, RecursionError):
        if sort in ("text/plain", "text/markdown") and start:
            return body.decode("utf-8", "replace").strip()
        if (kind is not None and "ndjson" in sort) or "jsonl" in sort or "jsonlines" in sort:
            return _stream(iter(body.decode("utf-8", "replace").splitlines()), agent)
        raise AgentError(
            f"{agent} must answer with one JSON object, but sent: {start or 'nothing'}"
        ) from None
    if isinstance(answer, dict | list) or (kind is not None and isinstance(answer, str)):
        return answer
    if sort in ("text/plain", "text/markdown"):
        return body.decode("utf-8", "replace").strip()
    found = f"{type(answer).__name__} {one_line(repr(answer)):.80}"
    raise AgentError(f"{agent} must answer with one JSON object, but sent {found}")


def _events(text: str) -> Iterator[str]:
    """Yield the data of each server-sent event, up to the one that says ``[DONE]``.

    Source: WHATWG HTML, section 9.2.6.
    """
    data: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            said, data = "\n".join(data), []
            if said.strip() == "[DONE]":
                return
            yield said


def _stream(parts: Iterator[str], agent: str) -> Events:
    """Read each part of a stream as JSON, or else as text."""
    found = Events()
    for part in parts:
        if len(found) >= MAX_EVENTS:
            raise AgentError(f"{agent} answered with more than {MAX_EVENTS:,} events")
        try:
            found.append(_json(part))
        except (ValueError, RecursionError):
            found.append(part)
    return found


def _json(text: str | bytes) -> object:
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
