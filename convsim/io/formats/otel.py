"""Conversations in spans of OpenTelemetry's GenAI conventions, of any age, and of libraries that follow them loosely.

``gen_ai.input.messages`` and ``gen_ai.output.messages`` (a JSON text or a list) come first, then events
(``gen_ai.user.message`` … ``gen_ai.choice``), then ``gen_ai.prompt.N.*`` and ``gen_ai.completion.N.*`` of OpenLLMetry,
and what the AI SDK and Pydantic AI write. Every span repeats the history: see ``convsim.io.formats.calls``. A
conversation is what ``gen_ai.conversation.id`` or a session's id says, else a trace.

Source: open-telemetry/semantic-conventions-genai ``docs/gen-ai`` (b49cb9d3); semantic-conventions v1.36
``docs/gen-ai/gen-ai-events.md``; traceloop/openllmetry ``semconv_ai``; ai-sdk.dev/docs/ai-sdk-core/telemetry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from convsim.io.formats.calls import Call, Threads
from convsim.io.formats.contract import GroupedFormat, Made, Notes, Record
from convsim.io.formats.fields import Fields, first_name, stated, unpacked
from convsim.io.formats.payloads import spoken
from convsim.io.formats.spans import Event, Span, attributes_of, is_export, nested, spans_of

CONVERSATIONS = (
    "gen_ai.conversation.id",
    "session.id",
    "langfuse.session.id",
    "traceloop.association.properties.conversation_id",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.chat_id",
    "ai.telemetry.metadata.sessionId",
    "ai.telemetry.metadata.chatId",
    "langsmith.trace.session_id",
    "thread_id",
)
USERS = (
    "user.id",
    "enduser.id",
    "enduser.pseudo.id",
    "langfuse.user.id",
    "traceloop.association.properties.user_id",
    "ai.telemetry.metadata.userId",
)
AGENTS = (
    "gen_ai.agent.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "ai.model.id",
    "llm.model_name",
)
KEPT = ("service.name", "gen_ai.system", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.agent.id")
OPENINFERENCE = ("openinference.span.kind", "llm.input_messages", "llm.output_messages")
SPEAKERS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
NO_CHAT = "{n} spans hold no messages and were left out"
NOT_CAPTURED = (
    "no span holds a message: instrumentation leaves the content out unless it is told to keep it "
    "(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true)"
)


def is_openinference(span: Span) -> bool:
    """Tell a span that follows OpenInference, whatever else it says."""
    return any(key.startswith(OPENINFERENCE) for key in span.attributes)


def _is_otel(value: JsonValue) -> bool:
    if not isinstance(value, dict):
        return False
    has_chat = False
    for span in spans_of(value):
        if is_openinference(span):
            return False
        has_chat = has_chat or _is_genai(span)
    return has_chat or is_export(value)


def _is_genai(span: Span) -> bool:
    names = (*span.attributes, *(event.name for event in span.events))
    return any(key.startswith(("gen_ai.", "ai.prompt", "ai.response")) for key in names)


def _otel(records: Iterable[Record], notes: Notes) -> Iterator[Made]:
    threads = Threads("opentelemetry")
    n_spans = n_chats = 0
    for span in _with_their_logs(records):
        n_spans += 1
        said, answer = _messages(span)
        if not said and not answer:
            continue
        n_chats += 1
        take_span(threads, span, said, answer)
    if not n_chats and n_spans:
        yield Record(None).bad(NOT_CAPTURED)
        return
    if n_spans > n_chats:
        notes.count(NO_CHAT, n_spans - n_chats)
    yield from threads.conversations(notes)


def take_span(
    threads: Threads, span: Span, said: list[JsonValue], answer: list[JsonValue], *, is_root: bool = False
) -> None:
    """Add what a span says to the conversation that it belongs to; ``is_root``: of the application, not of a model."""
    told = span.attributes
    trace = span.trace or span.id or "trace"
    thread = threads.of(first_name(told, *CONVERSATIONS), trace)
    thread.user = thread.user or first_name(told, *USERS)
    thread.agent = first_name(told, *AGENTS) or thread.agent
    thread.metadata.update({key: told[key] for key in KEPT if told.get(key) not in (None, "")})
    (thread.frame if is_root else thread.add)(Call(said, answer, span.start, trace))


def _with_their_logs(records: Iterable[Record]) -> Iterator[Span]:
    """Yield spans; log records of one span, which say a message each, are events of one."""
    logged: dict[str, Span] = {}
    for record in records:
        for span in spans_of(record.value):
            is_log = len(span.events) == 1 and span.events[0].name in SPEAKERS and span.name is None
            call = span.id or span.trace
            if not is_log or call is None:
                yield span
            elif (first := logged.setdefault(call, span)) is not span:
                first.events += span.events
                first.attributes = {**span.attributes, **first.attributes}
    yield from logged.values()


def _messages(span: Span) -> tuple[list[JsonValue], list[JsonValue]]:
    told = span.attributes
    for event in span.events:
        if event.name not in SPEAKERS:
            told = {**event.attributes, **(event.body if isinstance(event.body, dict) else {}), **told}
    said = spoken(told.get("gen_ai.input.messages"), "user")
    answer = spoken(told.get("gen_ai.output.messages"), "assistant")
    if said or answer:
        instructions = told.get("gen_ai.system_instructions", told.get("gen_ai.system.instructions"))
        return [*_instructions(instructions), *said], answer
    if (found := _of_events(_events(span))) != ([], []):
        return found
    said = [*map(_indexed, nested(told, "gen_ai.prompt") or nested(told, "llm.prompts"))]
    answer = [*map(_indexed, nested(told, "gen_ai.completion") or nested(told, "llm.completions"))]
    if said or answer:
        return said, [*({"role": "assistant", **each} for each in answer if isinstance(each, dict))]
    if "ai.prompt.messages" in told or "ai.response.text" in told:
        asked = told.get("ai.prompt.messages", told.get("ai.prompt"))
        return spoken(asked, "user"), spoken(told.get("ai.response.text"), "assistant")
    if whole := _listed(told.get("pydantic_ai.all_messages")):
        return whole, []
    return spoken(told.get("gen_ai.prompt"), "user"), spoken(told.get("gen_ai.completion"), "assistant")


def _listed(value: JsonValue) -> list[JsonValue]:
    found = unpacked(value)
    if isinstance(found, dict):
        found = [found]
    return (
        [each for each in map(unpacked, found) if isinstance(each, dict)] if isinstance(found, list) else []
    )


def _instructions(value: JsonValue) -> list[JsonValue]:
    found = unpacked(value)
    return [{"role": "system", "content": found}] if found else []


def _indexed(entry: Fields) -> Fields:
    """Return a message of OpenLLMetry, whose content may be the JSON of its parts."""
    return {**entry, "content": _content(entry.get("content"))}


def _content(value: JsonValue) -> JsonValue:
    found = unpacked(value)
    is_parts = isinstance(found, list) and bool(found) and all(isinstance(part, dict) for part in found)
    return found if is_parts else value


def _events(span: Span) -> Iterator[Event]:
    """Yield the events of a span, and those that it has as a JSON text."""
    yield from span.events
    for key in ("events", "all_messages_events"):
        for each in _listed(span.attributes.get(key)):
            if isinstance(each, dict) and isinstance(each.get("event.name"), str):
                yield Event(str(each["event.name"]), {}, each)


def _of_events(events: Iterable[Event]) -> tuple[list[JsonValue], list[JsonValue]]:
    said: list[JsonValue] = []
    answer: list[JsonValue] = []
    for event in events:
        if event.name not in SPEAKERS:
            continue
        body = unpacked(event.body)
        told = {**event.attributes, **(attributes_of(body) if isinstance(body, dict | list) else {})}
        if isinstance(whole := unpacked(told.get("gen_ai.event.content")), dict):
            told.update(whole)
        if event.name != "gen_ai.choice":
            said.append(_of_event(told, SPEAKERS[event.name]))
        elif not answer:  # one of several choices is what was said
            message = unpacked(told.get("message", told))
            told = message if isinstance(message, dict) else {"content": message}
            answer.append(_of_event(told, "assistant"))
    return said, answer


def _of_event(told: Fields, speaker: str) -> Fields:
    return {
        "role": first_name(told, "role") or speaker,
        "content": _content(told.get("content")),
        **stated(tool_calls=told.get("tool_calls")),
    }


OTEL = GroupedFormat(
    "otel",
    "OpenTelemetry's GenAI spans",
    (
        "resourceSpans",
        "attributes",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.conversation.id",
    ),
    _is_otel,
    _otel,
)
