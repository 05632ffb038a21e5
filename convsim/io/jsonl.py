"""JSON that strangers wrote, parsed within bounds, and convsim's own JSONL: one conversation a line."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import from_json

from convsim._logs import MAX_LINE_BYTES
from convsim.io.problems import MalformedError, first_problem, shown
from convsim.schema.conversation import Conversation

FLATTENED = bytes.maketrans(b"123456789E", b"000000000e")
HUGE = (b"e000", b"e+000", b"0" * 300)
"""How a number that overflows looks once its digits are 0: cheap to look for, and rare in text."""


def parse_json(data: bytes) -> JsonValue:
    """Parse one JSON document in UTF-8.

    Raises:
        MalformedError: It is not UTF-8, not JSON, or holds a number that is not finite.
    """
    try:
        document: JsonValue = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise _why(data, str(error)) from None
    flat = data.translate(FLATTENED)
    if any(sign in flat for sign in HUGE) and not _finite(document):
        raise MalformedError("contains a number that is too large")
    return document


def _why(data: bytes, error: str) -> MalformedError:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as problem:
        return MalformedError(f"is not UTF-8 text: {data[problem.start]:#04x} at byte {problem.start + 1}")
    where = error.replace("line 1 column", "column")
    return MalformedError(f"is not JSON: {where}")


def _finite(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, list):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def conversation_of(document: JsonValue) -> Conversation:
    """Make a conversation of a parsed line; raises MalformedError."""
    try:
        return Conversation.model_validate(document)
    except ValidationError as error:
        if not isinstance(document, dict):
            raise MalformedError(f"must be an object, but is {shown(document)}") from None
        raise first_problem(error, document) from None


def readable_line(conversation: Conversation) -> bytes:
    """Return a conversation as a line, without its end, that reading takes.

    Raises:
        MalformedError: Reading would refuse it: it is too long or nested too deeply, or a text or number is no JSON.
    """
    line = line_of(conversation)
    conversation_of(parse_json(line))
    return line


def line_of(conversation: Conversation) -> bytes:
    """Return a conversation as a line, as ``readable_line`` does; its fields are taken to be valid."""
    line = _encoded(conversation.to_json)
    if len(line) >= MAX_LINE_BYTES:
        raise MalformedError(
            f"its line would be longer than {MAX_LINE_BYTES >> 20} MiB, the most that is read"
        )
    parse_json(line)
    return line


def readable(part: BaseModel, *, inside: bytes) -> bytes:
    """Return a part of a conversation as JSON that reading takes.

    Args:
        part: A message, or an annotation.
        inside: What it will lie in, with ``%b`` in its place.

    Raises:
        MalformedError: As ``readable_line``; the length of the whole is not looked at.
    """
    line = _encoded(
        lambda: json.dumps(
            part.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False, allow_nan=False
        )
    )
    parse_json(inside % line)
    return line


def _encoded(written: Callable[[], str]) -> bytes:
    try:
        return written().encode()
    except (ValueError, RecursionError) as error:  # half a surrogate pair, infinity, a number of 5,000 digits
        raise MalformedError(f"cannot be written as JSON: {error}"[:300]) from None
