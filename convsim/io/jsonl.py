"""convsim's own JSONL: one conversation a line."""

from __future__ import annotations

from pydantic import JsonValue, ValidationError

from convsim.io.problems import MalformedError, first_problem, shown
from convsim.schema.conversation import Conversation


def conversation_of(document: JsonValue) -> Conversation:
    """Make a conversation of a parsed line; raises MalformedError."""
    try:
        return Conversation.model_validate(document)
    except ValidationError as error:
        if not isinstance(document, dict):
            raise MalformedError(f"must be an object, but is {shown(document)}") from None
        raise first_problem(error, document) from None
