"""JSON that strangers wrote, parsed within bounds, and convsim's own JSONL: one conversation a line."""

from __future__ import annotations

import math

from pydantic import JsonValue, ValidationError
from pydantic_core import from_json

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
