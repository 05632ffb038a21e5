"""What may come back from somebody else's agent, and the one-line reason when it may not."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import ValidationError

from convsim.contracts.agent import AgentReply
from convsim.errors import AgentError
from convsim.one_line import one_line
from convsim.records import nearest

MAX_TEXT_BYTES = 256 * 1024
"""The longest text that is taken, in UTF-8."""
MAX_ANSWER_BYTES = 1024 * 1024
"""The largest answer that is taken, items included, as JSON."""
KEYS = ("content", "items", "ends", "usage")
"""What is read of an answer that is an object; other keys are the agent's own business, but for misspellings."""
MISSPELT = 0.85
"""From which similarity (difflib's ratio) on a key is taken for a misspelling of one that is missing."""
HTML_STARTS = ("<!doctype html", "<html")


def to_reply(answer: object, agent: str) -> AgentReply:
    """Make a reply of what ``agent`` answered: a text, an object with ``content`` and ``items``, or a reply.

    Raises:
        AgentError: Nothing, an empty answer, a wrong type, items without ids, a web page, or more than the
        bounds.
    """
    if isinstance(answer, AgentReply):
        reply = answer
    elif isinstance(answer, str):
        reply = _validated({"content": answer}, agent)
    elif isinstance(answer, Mapping):
        if "content" not in answer:
            known = ", ".join(map(str, answer)) or "nothing"
            raise AgentError(f"{agent} answered without 'content'; the object has: {one_line(known)}")
        _check_spelling(answer, agent)
        reply = _validated({key: answer[key] for key in KEYS if key in answer}, agent)
    elif answer is None:
        raise AgentError(f"{agent} answered nothing (None)")
    else:
        raise AgentError(
            f"{agent} must answer a text or an object with 'content', but answered {_kind(answer)}"
        )
    _check_bounds(reply, agent)
    return reply


def parse_answer(body: bytes, agent: str) -> AgentReply:
    """Make a reply of the JSON object that ``agent`` sent; raises AgentError as ``to_reply`` does."""
    if len(body) > MAX_ANSWER_BYTES:
        raise AgentError(f"{agent} answered with more than {MAX_ANSWER_BYTES:,} bytes")
    start = one_line(body[:200].decode("utf-8", "replace"))
    if start.lower().startswith(HTML_STARTS):
        raise AgentError(f"{agent} answered with a web page instead of JSON: {start:.80}")
    try:
        answer = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise AgentError(f"{agent} must answer one JSON object, but sent: {start or 'nothing'}") from None
    if not isinstance(answer, dict):
        raise AgentError(f"{agent} must answer one JSON object, but sent {_kind(answer)}")
    return to_reply(answer, agent)


def _check_spelling(answer: Mapping[object, object], agent: str) -> None:
    missing = [key for key in KEYS if key not in answer]
    for key in answer:
        if key not in KEYS and (meant := nearest(key, missing, cutoff=MISSPELT)) is not None:
            raise AgentError(f"{agent} answered with {one_line(key)!r:.80}; did it mean {meant!r}?")


def _validated(fields: Mapping[str, object], agent: str) -> AgentReply:
    try:
        return AgentReply.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        found = (
            "" if first["type"] == "missing" else f", but found {one_line(repr(first['input'])[:300]):.80}"
        )
        raise AgentError(f"{agent} answered wrongly: {place}: {one_line(first['msg'])}{found}") from None


def _check_bounds(reply: AgentReply, agent: str) -> None:
    try:
        size = len(json.dumps(reply.model_dump(mode="json"), ensure_ascii=False, allow_nan=False).encode())
    except UnicodeEncodeError:
        raise AgentError(f"{agent} answered with half a character, which is no Unicode text") from None
    except (ValueError, RecursionError):
        raise AgentError(f"{agent} answered with attributes that are no JSON, such as NaN") from None
    if len(reply.content.encode()) > MAX_TEXT_BYTES:
        raise AgentError(f"{agent} answered with more than {MAX_TEXT_BYTES:,} bytes of text")
    if size > MAX_ANSWER_BYTES:
        raise AgentError(f"{agent} answered with more than {MAX_ANSWER_BYTES:,} bytes")
    if not reply.content.strip() and not reply.items:
        raise AgentError(f"{agent} answered with neither text nor items")
    if reply.content.lstrip()[:20].lower().startswith(HTML_STARTS):
        raise AgentError(f"{agent} answered with a web page: {one_line(reply.content):.80}")


def _kind(value: object) -> str:
    return f"{type(value).__name__} {one_line(repr(value)[:300]):.80}"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
