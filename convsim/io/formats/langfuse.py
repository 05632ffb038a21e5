"""Conversations in Langfuse's exports: a session or trace as JSON, rows of traces, and rows of observations.

A session is a conversation, and a trace where it has none. What a generation was asked and answered is a call of a
model; the input and output of a trace itself are the turn of one whose observations say nothing. Scores become labels:
``self`` where a person's feedback is what they are named after, else ``third_party``, or ``judge:<name>`` for an
evaluator's. Rows may be JSON, CSV (with JSON in their cells) or Parquet, in camel or in snake case.

Source: langfuse/langfuse-docs ``blob-storage-export-fields.mdx`` (05bdc0e1); langfuse.com/faq/all/
export-single-trace-or-session; Langfuse's public API, TraceWithFullDetails and SessionWithTraces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from convsim.io.formats.calls import NOT_COMPARED, Call, Thread, Threads
from convsim.io.formats.contract import GroupedFormat, Made, Notes, Record
from convsim.io.formats.fields import Fields, as_number, first_name, moment, name, unpacked
from convsim.io.formats.payloads import spoken

TYPES = frozenset(
    (
        "SPAN",
        "GENERATION",
        "EVENT",
        "AGENT",
        "TOOL",
        "CHAIN",
        "RETRIEVER",
        "EVALUATOR",
        "EMBEDDING",
        "GUARDRAIL",
    )
)
TRACES = ("traceId", "trace_id")
SESSIONS = ("sessionId", "session_id")
USERS = ("userId", "user_id")
STARTS = ("startTime", "start_time", "timestamp", "createdAt", "created_at")
MODELS = ("model", "providedModelName", "provided_model_name", "internalModelId")
PARENTS = ("parentObservationId", "parent_observation_id")
OF_A_TRACE = (
    "bookmarked",
    "public",
    "release",
    "tags",
    "environment",
    "projectId",
    "project_id",
    "htmlPath",
    "scores",
)
NO_CHAT = "{n} observations and traces hold no messages and were left out"


def _is_langfuse(value: JsonValue) -> bool:
    if not isinstance(value, dict):
        return False
    return any(
        is_one(value) for is_one in (_is_session, _is_whole_trace, _is_observation, _is_trace, _is_score)
    )


def _is_session(value: Fields) -> bool:
    traces = value.get("traces")
    if not isinstance(traces, list) or "id" not in value:
        return False
    return not traces or (
        isinstance(traces[0], dict) and bool(traces[0].keys() & {"input", "output", "observations"})
    )


def _is_whole_trace(value: Fields) -> bool:
    observations = value.get("observations")
    if not isinstance(observations, list):
        return False
    if observations and not (isinstance(observations[0], dict) and str(observations[0].get("type")) in TYPES):
        return isinstance(observations[0], str) and _is_trace(value)
    return isinstance(value.get("trace"), dict) or bool(value.keys() & {"input", "output", *SESSIONS})


def _is_observation(value: Fields) -> bool:
    is_one = str(value.get("type")) in TYPES or bool(value.keys() & set(PARENTS))
    return is_one and bool(value.keys() & set(TRACES)) and bool(value.keys() & set(STARTS))


def _is_trace(value: Fields) -> bool:
    return (
        {"input", "timestamp"} <= value.keys()
        and bool(value.keys() & set(SESSIONS))
        and bool(value.keys() & set(OF_A_TRACE))
    )


def _is_score(value: Fields) -> bool:
    """Tell a row of scores, which an export of tables has beside those of traces."""
    return (
        {"name", "value"} <= value.keys()
        and bool(value.keys() & set(TRACES))
        and bool(value.keys() & {"source", "data_type", "dataType", "string_value", "stringValue"})
    )


@dataclass
class _Trace:
    """What was gathered of one trace."""

    session: str | None = None
    about: Fields = field(default_factory=dict)
    observations: list[Fields] = field(default_factory=list)
    scores: list[Fields] = field(default_factory=list)


def _langfuse(records: Iterable[Record], notes: Notes) -> Iterator[Made]:
    traces: dict[str, _Trace] = {}
    for number, record in enumerate(records):
        value = record.value
        if isinstance(value, dict) and _is_score(value):
            scored = traces.setdefault(first_name(value, *TRACES) or "", _Trace())
            scored.scores.append(value)
            continue
        if not isinstance(value, dict) or not _is_langfuse(value):
            yield record.bad("must be a session, a trace or an observation of Langfuse")
            continue
        for own, session, about, observations in _parts(value, f"trace-{number}"):
            trace = traces.setdefault(own, _Trace())
            trace.session = trace.session or session
            trace.about = {**about, **trace.about}
            trace.observations += observations
    threads = Threads("langfuse")
    for own, trace in traces.items():
        _take(threads, own, trace, notes)
    yield from threads.conversations(notes)


def _parts(value: Fields, unnamed: str) -> Iterator[tuple[str, str | None, Fields, list[Fields]]]:
    """Yield traces: what they are called, their session, what is said of them, and their observations."""
    if _is_session(value):
        for index, trace in enumerate(_objects(value["traces"])):
            own = name(trace.get("id")) or f"{unnamed}-{index}"
            yield own, name(value["id"]), trace, _objects(trace.get("observations"))
    elif _is_observation(value):
        own = first_name(value, *TRACES) or unnamed
        yield own, first_name(value, *SESSIONS), {}, [value]
    else:
        inner = value.get("trace")
        trace = (
            {**inner, "scores": value.get("scores", inner.get("scores"))}
            if isinstance(inner, dict)
            else value
        )
        own = name(trace.get("id")) or unnamed
        yield own, first_name(trace, *SESSIONS), trace, _objects(value.get("observations"))


def _objects(value: JsonValue) -> list[Fields]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _take(threads: Threads, own: str, trace: _Trace, notes: Notes) -> None:
    users = [user for part in (trace.about, *trace.observations) if (user := first_name(part, *USERS))]
    sessions = [found for part in trace.observations if (found := first_name(part, *SESSIONS))]
    thread = threads.of(trace.session or next(iter(sessions), None), own)
    thread.user = thread.user or next(iter(users), None)
    calls = [(part, True) for part in trace.observations if part.get("type") == "GENERATION"]
    others = (part for part in trace.observations if part.get("type") != "GENERATION")
    roots = [(part, False) for part in others if not first_name(part, *PARENTS)]
    used = 0
    for part, is_call in [*calls, (trace.about, False), *roots]:
        start = next((at for key in STARTS if (at := moment(part.get(key))) is not None), None)
        said, answer = spoken(part.get("input"), "user"), spoken(part.get("output"), "assistant")
        call = Call(said, answer, start, own)
        if is_call and _is_chat(said):
            used += 1
            thread.add(call)
        elif call.speech and not is_call:
            used += own not in thread.roots and own not in thread.with_calls
            thread.frame(call)
        thread.agent = first_name(part, *MODELS) or thread.agent
    if left_out := len(trace.observations) + bool(trace.about) - used:
        notes.count(NO_CHAT, left_out if trace.observations else int(not used))
    _label(thread, [*_objects(unpacked(trace.about.get("scores"))), *trace.scores])


def _is_chat(said: Iterable[JsonValue]) -> bool:
    """Tell whether anybody but the system speaks to the model."""
    return any(isinstance(each, dict) and each.get("role") not in NOT_COMPARED for each in said)


FEEDBACK = ("user", "feedback", "thumb", "csat", "satisfaction", "rating")


def _label(thread: Thread, scores: Iterable[Fields]) -> None:
    labels = thread.about.setdefault("labels", {})
    for score in scores:
        named = name(score.get("name"))
        value = score.get("value")
        if score.get("dataType", score.get("data_type")) in ("CATEGORICAL", "BOOLEAN"):
            value = score.get("stringValue", score.get("string_value", value))
        if named is None or value is None or not isinstance(labels, dict) or named in labels:
            continue
        number = as_number(value)
        kind = str(score.get("source", "")).upper()
        is_own = kind != "EVAL" and any(word in named.lower() for word in FEEDBACK)
        source = "self" if is_own else f"judge:{named}" if kind == "EVAL" else "third_party"
        labels[named] = {"value": value if number is None else number, "source": source}
    if not labels:
        del thread.about["labels"]


LANGFUSE = GroupedFormat(
    "langfuse",
    "Langfuse's sessions, traces and observations",
    (
        "trace_id",
        "session_id",
        "type",
        "start_time",
        "input",
        "output",
        "traceId",
        "sessionId",
        "observations",
    ),
    _is_langfuse,
    _langfuse,
)
