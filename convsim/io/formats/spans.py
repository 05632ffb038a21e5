"""Spans of OpenTelemetry in any of their dresses, made flat: attributes, events, trace, time.

OTLP-JSON (``resourceSpans``, ``resourceLogs``; camel or snake case), one span an object (``context``, ``attributes`` as
an object or a list of keys and values), Jaeger's ``tags``, and rows whose columns are attributes.

Source: open-telemetry/opentelemetry-proto ``trace/v1/trace.proto``, ``common/v1/common.proto`` (AnyValue), in their
JSON mapping; the SDKs' ``to_json`` of a span.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from convsim.io.formats.fields import Fields, first_name, moment, name

RESOURCES = (
    ("resourceSpans", ("scopeSpans", "instrumentationLibrarySpans"), "spans"),
    ("resource_spans", ("scope_spans", "instrumentation_library_spans"), "spans"),
    ("resourceLogs", ("scopeLogs", "instrumentationLibraryLogs"), "logRecords"),
    ("resource_logs", ("scope_logs", "instrumentation_library_logs"), "log_records"),
)
SCALARS = (
    "stringValue",
    "string_value",
    "boolValue",
    "bool_value",
    "doubleValue",
    "double_value",
    "bytesValue",
)
WHOLE = ("intValue", "int_value")
ARRAYS = ("arrayValue", "array_value")
OBJECTS = ("kvlistValue", "kvlist_value")
TRACES = ("traceId", "trace_id", "traceID", "context.trace_id")
SPANS = ("spanId", "span_id", "spanID", "context.span_id")
PARENTS = ("parentSpanId", "parent_span_id", "parent_id", "parentId")
STARTS = (
    "startTimeUnixNano",
    "start_time_unix_nano",
    "start_time",
    "start_timestamp",
    "startTime",
    "timeUnixNano",
    "time_unix_nano",
    "timestamp",
)
PREFIX = "attributes."
MAX_STEPS = 16
"""Dots of a key that lead deeper; a name that has thousands of them is one name from there on."""


@dataclass
class Event:
    """Something that happened in a span, or a log record that stands by itself."""

    name: str
    attributes: Fields
    body: JsonValue = None


@dataclass
class Span:
    """A span; of a log record, what it says of the span that it belongs to."""

    attributes: Fields
    trace: str | None
    id: str | None
    has_parent: bool
    start: float | None
    name: str | None = None
    events: list[Event] = field(default_factory=list)


def plain(value: JsonValue) -> JsonValue:
    """Unpack OTLP's AnyValue; leave what is none."""
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((kind, inner),) = value.items()
    if kind in SCALARS:
        return inner
    if kind in WHOLE:
        return (
            int(inner)
            if isinstance(inner, str) and inner.lstrip("-").isdigit() and len(inner) < 30
            else inner
        )
    if kind in ARRAYS and isinstance(inner, dict):
        values = inner.get("values", [])
        return [plain(each) for each in values] if isinstance(values, list) else []
    if kind in OBJECTS and isinstance(inner, dict):
        return attributes_of(inner.get("values", []))
    return value


def attributes_of(found: JsonValue) -> Fields:
    """Return attributes, which are an object or a list of keys and values."""
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items()}
    if not isinstance(found, list):
        return {}
    pairs = [each for each in found if isinstance(each, dict) and isinstance(each.get("key"), str)]
    return {str(pair["key"]): plain(pair.get("value")) for pair in pairs}


def is_export(value: JsonValue) -> bool:
    """Tell an OTLP export by the key of its resources."""
    return isinstance(value, dict) and any(isinstance(value.get(key), list) for key, _, _ in RESOURCES)


def spans_of(value: JsonValue) -> Iterator[Span]:
    """Yield the spans of an OTLP export, or the one that an object is; nothing where it is none."""
    if not isinstance(value, dict):
        return
    if not is_export(value):
        if (found := _one(value, {})) is not None:
            yield found
        return
    for resources, scopes, entries in RESOURCES:
        for resource in _objects(value.get(resources)):
            about = resource.get("resource")
            shared = attributes_of(about.get("attributes")) if isinstance(about, dict) else {}
            for key in scopes:
                for scope in _objects(resource.get(key)):
                    for entry in _objects(scope.get(entries)):
                        if (found := _one(entry, shared)) is not None:
                            yield found


def _objects(value: JsonValue) -> Iterable[Fields]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()


def _one(entry: Fields, shared: Mapping[str, JsonValue]) -> Span | None:
    context = entry.get("context", entry.get("spanContext"))
    told = {**entry, **(context if isinstance(context, dict) else {})}
    own = entry.get("attributes", entry.get("tags"))
    attributes = attributes_of(own)
    attributes = {**attributes, **dict(_flat("", attributes))}
    if own is None:
        attributes = {key.removeprefix(PREFIX): plain(value) for key, value in entry.items()}
    if not attributes and not entry.get("events") and "body" not in entry:
        return None
    events = [
        Event(
            str(each.get("name", each.get("eventName", ""))),
            attributes_of(each.get("attributes")),
            plain(each.get("body")),
        )
        for each in _objects(entry.get("events", entry.get("logs")))
    ]
    if "body" in entry or "eventName" in entry or "event_name" in entry:
        event = first_name(entry, "eventName", "event_name") or name(attributes.get("event.name"))
        events.append(Event(event or "", attributes, plain(entry.get("body"))))
    return Span(
        attributes={**shared, **attributes},
        trace=first_name(told, *TRACES),
        id=first_name(told, *SPANS),
        has_parent=first_name(told, *PARENTS) not in (None, "0" * 16),
        start=next((at for key in STARTS if (at := moment(told.get(key))) is not None), None),
        name=name(entry.get("name")),
        events=events,
    )


def _flat(prefix: str, inner: Fields) -> Iterator[tuple[str, JsonValue]]:
    """Yield what lies in objects of attributes, under keys with dots."""
    for key, value in inner.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        elif prefix:
            yield f"{prefix}{key}", value


def nested(attributes: Mapping[str, JsonValue], prefix: str) -> list[Fields]:
    """Return the objects that are flattened under a prefix, such as ``llm.input_messages.0.message.role``.

    Libraries write them flattened with numbers, as a list of flattened objects, or as a list of objects; each is
    returned as an object of objects, in its order.
    """
    tree: Fields = {}
    steps = prefix.split(".")
    for key, value in attributes.items():
        path = key.split(".", MAX_STEPS)
        if path[: len(steps)] == steps or steps[: len(path)] == path:
            _put(tree, path, value)
    found: JsonValue = tree
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, dict):
        numbered = sorted((int(key), each) for key, each in found.items() if key.isdigit() and len(key) < 9)
        found = [each for _, each in numbered]
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _put(tree: Fields, path: list[str], value: JsonValue) -> None:
    for step in path[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    deep = _deep(value)
    at = tree.get(path[-1])
    if isinstance(at, dict) and isinstance(deep, dict):
        at.update(deep)
    elif at is None or deep is not None:
        tree[path[-1]] = deep


def _deep(value: JsonValue) -> JsonValue:
    """Turn keys with dots in them, at any depth, into objects in objects."""
    if isinstance(value, list):
        return [_deep(each) for each in value]
    if not isinstance(value, dict):
        return value
    found: Fields = {}
    for key, each in value.items():
        _put(found, key.split(".", MAX_STEPS), each)
    return found
