"""Conversations in runs of LangSmith: what a thread's runs were given, and what they answered.

A thread is what ``session_id``, ``thread_id`` or ``conversation_id`` in a run's metadata says (``session_id`` of the
run itself is the *project*), else a trace. Runs of the type ``llm`` are the calls of a model; where a trace has none
with messages, its root is one turn. Runs that failed have no answer.

Source: langchain-ai/langsmith-sdk ``python/langsmith/schemas.py`` (017fb358); docs.langchain.com/langsmith/threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from convsim.io.formats.calls import Call, Threads
from convsim.io.formats.contract import GroupedFormat, Made, Notes, Record
from convsim.io.formats.fields import Fields, first_name, moment, name
from convsim.io.formats.payloads import spoken

THREADS = ("session_id", "thread_id", "conversation_id")
USERS = ("user_id", "user", "userId")
MODELS = ("ls_model_name", "model_name", "model")
NO_CHAT = "{n} runs hold no messages, or repeat those of runs inside them, and were left out"


def _is_langsmith(value: JsonValue) -> bool:
    return isinstance(value, dict) and isinstance(value.get("run_type"), str) and "inputs" in value


def _langsmith(records: Iterable[Record], notes: Notes) -> Iterator[Made]:
    traces: dict[str, list[Fields]] = {}
    for record in records:
        if not _is_langsmith(record.value):
            yield record.bad("must be a run of LangSmith, with run_type and inputs")
            continue
        for run in _all_runs(record.value):
            own = first_name(run, "trace_id") or _root_of(run)
            traces.setdefault(own, []).append(run)
    threads = Threads("langsmith")
    for own, runs in traces.items():
        _take(threads, own, runs, notes)
    yield from threads.conversations(notes)


def _root_of(run: Fields) -> str:
    """Return the trace that a run's ``dotted_order`` begins with, else the run's own id."""
    first = str(run.get("dotted_order") or "").partition(".")[0]
    return first or name(run.get("id")) or "trace"


def _all_runs(run: JsonValue) -> Iterator[Fields]:
    """Yield a run and those that it holds, whose trace is its own."""
    pending = [run]
    while pending:
        at = pending.pop()
        if not isinstance(at, dict):
            continue
        yield at
        inner = at.get("child_runs")
        trace = at.get("trace_id", at.get("id"))
        pending += (
            [{"trace_id": trace, **each} for each in inner if isinstance(each, dict)]
            if isinstance(inner, list)
            else []
        )


def _about(run: Fields) -> Fields:
    extra = run.get("extra")
    found: Fields = {}
    for holder in (extra, run.get("metadata"), extra.get("metadata") if isinstance(extra, dict) else None):
        if isinstance(holder, dict):
            found.update(holder)
    return found


def _take(threads: Threads, own: str, runs: list[Fields], notes: Notes) -> None:
    told: Fields = {}
    for run in runs:
        told = {**_about(run), **told}
    thread = threads.of(first_name(told, *THREADS), own)
    thread.user = thread.user or first_name(told, *USERS)
    thread.agent = first_name(told, *MODELS) or thread.agent
    used = 0
    for run in runs:
        said, answer = spoken(run.get("inputs"), "user"), spoken(run.get("outputs"), "assistant")
        call = Call(said, answer, moment(run.get("start_time")), own)
        if not call.speech:
            continue
        if run["run_type"] == "llm":
            used += 1
            thread.add(call)
        elif not run.get("parent_run_id"):
            thread.frame(call)
    notes.count(NO_CHAT, len(runs) - used - (own in thread.roots and own not in thread.with_calls))


LANGSMITH = GroupedFormat(
    "langsmith",
    "LangSmith's runs",
    ("run_type", "inputs", "outputs", "trace_id", "parent_run_id", "extra"),
    _is_langsmith,
    _langsmith,
)
