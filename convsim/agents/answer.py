"""What an endpoint or a program may send for an answer, and the one-line reason when it may not."""

from __future__ import annotations

import json

from convsim._text import MAX_READ, one_line, shown
from convsim.errors import AgentError
from convsim.lifting import MAX_ANSWER_BYTES, to_reply
from convsim.lifting.moves import HTML_STARTS
from convsim.schema.protocols import AgentReply


def parse_answer(body: bytes, agent: str, *, answers: str | None = None) -> AgentReply:
    """Make a reply of the JSON object that ``agent`` sent; raises AgentError as ``to_reply`` does.

    ``answers`` is the id of the conversation that was asked about; an answer that names another is refused.
    """
    if len(body) > MAX_ANSWER_BYTES:
        raise AgentError(f"{agent} answered with more than {MAX_ANSWER_BYTES:,} bytes")
    start = one_line(body[:MAX_READ].decode("utf-8", "replace"))
    if start.lower().startswith(HTML_STARTS):
        raise AgentError(f"{agent} answered with a web page instead of JSON: {start:.80}")
    try:
        answer = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise AgentError(
            f"{agent} must answer with one JSON object, but sent: {start or 'nothing'}"
        ) from None
    if not isinstance(answer, dict):
        found = f"{type(answer).__name__} {one_line(repr(answer)):.80}"
        raise AgentError(f"{agent} must answer with one JSON object, but sent {found}")
    named = answer.get("conversation_id")
    if answers is not None and named is not None and named != answers:
        raise AgentError(
            f"{agent} answered about conversation {shown(named)}, but was asked about {answers}: its answer is late, "
            "or it repeats another conversation_id"
        )
    return to_reply(answer, agent)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
