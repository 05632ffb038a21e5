"""Messages in any dress, read for what they are: roles by their other names, content that is null or a list of parts.

A format hands on the messages that it found; this makes those of convsim's JSONL of them. ``read_messages`` is applied
to whatever a format of ``convsim.io.formats.known`` yields.
"""

from __future__ import annotations

from pydantic import JsonValue

from convsim.io.problems import MalformedError, shown

TEXT_OF_PART = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
"""Types of a content part that are text, and the key that holds it."""


def read_messages(messages: JsonValue) -> list[JsonValue]:
    """Return messages as convsim's JSONL has them; raises MalformedError with the place of what is none."""
    if not isinstance(messages, list):
        raise MalformedError(f"must be a list of messages, but is {shown(messages)}", field="messages")
    return [_message(message, f"messages[{index}]") for index, message in enumerate(messages)]


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
