"""Plain OpenAI messages: objects with ``messages``, whose contents may be null or lists of parts.

What else stands beside ``messages`` is read as in convsim JSONL where convsim knows its name, and kept in
``metadata`` where it does not; so are a message's ``tool_calls``, ``name`` and the like. A line without an
``id`` gets ``line-<number>``. Parts that are not text stay in the message's metadata as ``other_parts``.
"""

from __future__ import annotations

from pydantic import JsonValue

from convsim.io.jsonl import conversation_of
from convsim.io.problems import MalformedError, shown
from convsim.schema.conversation import Conversation

TEXT_OF_PART = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
"""Types of a content part that are text, and the key that holds it."""


def openai_conversation_of(document: JsonValue, line: int) -> Conversation:
    """Make a conversation of a parsed line; ``line`` names it where it has no id. Raises MalformedError."""
    if not isinstance(document, dict):
        raise MalformedError(f"must be an object, but is {shown(document)}")
    messages = document.get("messages")
    if not isinstance(messages, list):
        found = "is missing" if "messages" not in document else f"is {shown(messages)}"
        raise MalformedError(f"must be a list of messages, but {found}", field="messages")
    plain = [_message(message, f"messages[{index}]") for index, message in enumerate(messages)]
    return conversation_of({"id": f"line-{line}", **document, "messages": plain})


def _message(message: JsonValue, place: str) -> JsonValue:
    if not isinstance(message, dict) or isinstance(content := message.get("content"), str):
        return message
    if content is None:
        return {**message, "content": ""}
    if not isinstance(content, list):
        found = shown(content)
        raise MalformedError(
            f"must be text, null or a list of parts, but is {found}", field=f"{place}.content"
        )
    texts: list[str] = []
    others: list[JsonValue] = []
    for index, part in enumerate(content):
        text = part.get(TEXT_OF_PART.get(str(part.get("type")), "")) if isinstance(part, dict) else part
        if isinstance(text, str):
            texts.append(text)
        elif (
            isinstance(part, dict) and isinstance(part.get("type"), str) and part["type"] not in TEXT_OF_PART
        ):
            others.append(part)
        else:
            raise MalformedError("must be a part with a type and its text", field=f"{place}.content[{index}]")
    kept: dict[str, JsonValue] = {"other_parts": others} if others else {}
    return {**message, **kept, "content": "\n".join(texts)}
