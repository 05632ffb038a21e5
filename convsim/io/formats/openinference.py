"""Conversations in spans of OpenInference (Phoenix, Arize): flattened, nested or as Phoenix's data frames have them.

``llm.input_messages.<i>.message.role`` and ``.content``, or ``.contents.<j>.message_content.text``. Every span repeats
the history: see ``convsim.io.formats.calls``. A conversation is what ``session.id`` says, else a trace. Where no span
of a trace holds messages, ``input.value`` and ``output.value`` of its root are a turn.

Source: Arize-ai/openinference ``spec/semantic_conventions.md`` (00e2b515) and ``spec/llm_spans.md`` (0539b7f3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from convsim.io.formats.calls import Threads
from convsim.io.formats.contract import GroupedFormat, Made, Notes, Record
from convsim.io.formats.fields import Fields, rest, stated
from convsim.io.formats.otel import NO_CHAT, is_openinference, take_span
from convsim.io.formats.payloads import spoken
from convsim.io.formats.spans import nested, spans_of


def _is_openinference(value: JsonValue) -> bool:
    return isinstance(value, dict) and any(map(is_openinference, spans_of(value)))


def _openinference(records: Iterable[Record], notes: Notes) -> Iterator[Made]:
    threads = Threads("openinference")
    n_left_out = 0
    for record in records:
        for span in spans_of(record.value):
            told = span.attributes
            said: list[JsonValue] = [*map(_message, nested(told, "llm.input_messages"))]
            answer: list[JsonValue] = [*map(_message, nested(told, "llm.output_messages"))]
            if said or answer:
                take_span(threads, span, said, answer)
                continue
            asked, answered = (
                spoken(_value(told, "input"), "user"),
                spoken(_value(told, "output"), "assistant"),
            )
            if span.has_parent or not (asked or answered):
                n_left_out += 1
            else:
                take_span(threads, span, asked, answered, is_root=True)
    if n_left_out:
        notes.count(NO_CHAT, n_left_out)
    yield from threads.conversations(notes)


def _value(told: Fields, side: str) -> JsonValue:
    if f"{side}.value" in told:
        return told[f"{side}.value"]
    inner = told.get(side)
    return inner.get("value") if isinstance(inner, dict) else None


def _message(entry: Fields) -> Fields:
    said = entry.get("message")
    told = said if isinstance(said, dict) else entry
    parts = [_part(each) for each in nested({"contents": told.get("contents")}, "contents")]
    content: JsonValue = [*parts] if parts else told.get("content")
    calls = told.get("tool_calls")
    kept = rest(told, "role", "content", "contents", "tool_calls")
    return {"role": told.get("role"), "content": content, **stated(tool_calls=calls or None, metadata=kept)}


def _part(entry: Fields) -> Fields:
    inner = entry.get("message_content")
    return inner if isinstance(inner, dict) else entry


OPENINFERENCE = GroupedFormat(
    "openinference",
    "OpenInference's spans",
    ("attributes", "openinference.span.kind", "llm.input_messages", "llm.output_messages", "session.id"),
    _is_openinference,
    _openinference,
)
