"""Rasa's trackers: all that one sender ever said, a conversation a session.

Each ``session_started`` begins another conversation, and so does another ``session_id`` in the events' metadata. The
sender is the user. ``/intent`` payloads of buttons are what the user chose, and kept. ``rewind`` and ``undo`` take
back; ``restart`` begins a conversation. Also rows of a tracker store or of an event broker, which delivers at least
once.

Source: rasa.com/docs/reference/primitives/events; RasaHQ/rasa ``rasa/shared/core/events.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from convsim.io.formats.contract import GroupedFormat, Made, Notes, Record
from convsim.io.formats.fields import (
    Fields,
    first_name,
    in_order,
    message,
    moment,
    name,
    needed_object,
    objects,
    rest,
    stated,
    text,
    unpacked,
)
from convsim.io.problems import MalformedError, shown

SPEECH = {"user": "user", "bot": "assistant", "agent": "assistant"}
EVENTS = frozenset(
    (
        *SPEECH,
        "action",
        "slot",
        "session_started",
        "restart",
        "rewind",
        "undo",
        "followup",
        "active_loop",
        "pause",
    )
)


def _is_rasa(value: JsonValue) -> bool:
    return isinstance(value, dict) and (_is_tracker(value) or _is_event(value) or _is_row(value))


def _is_tracker(value: Fields) -> bool:
    events = value.get("events")
    if not isinstance(events, list) or "sender_id" not in value:
        return False
    return not events or (isinstance(events[0], dict) and "event" in events[0])


def _is_event(value: Fields) -> bool:
    return str(value.get("event")) in EVENTS and "sender_id" in value and "timestamp" in value


def _is_row(value: Fields) -> bool:
    return {"sender_id", "type_name", "data"} <= value.keys()


def _rasa(records: Iterable[Record], notes: Notes) -> Iterator[Made]:
    senders: dict[str, list[tuple[Record, str, Fields]]] = {}
    about: dict[str, Fields] = {}
    for record in records:
        value = record.value
        if not isinstance(value, dict) or not _is_rasa(value):
            yield record.bad("must be a tracker or an event of Rasa, with a sender_id")
            continue
        sender = name(value["sender_id"])
        if sender is None:
            yield record.bad(f"must be an id, but is {shown(value['sender_id'])}", "sender_id")
            continue
        try:
            events = _events(value)
        except MalformedError as bad:
            yield record.at(bad)
            continue
        senders.setdefault(sender, []).extend((record, place, event) for place, event in events)
        if _is_tracker(value):
            about[sender] = stated(slots=value.get("slots") or None)
    for sender, events_of in senders.items():
        ordered = in_order(_once(events_of, notes), lambda placed: moment(placed[2].get("timestamp")))
        try:
            yield from _sessions(sender, ordered, about.get(sender, {}))
        except MalformedError as bad:
            yield bad


def _events(value: Fields) -> list[tuple[str, Fields]]:
    if _is_tracker(value):
        return objects(value["events"], "events")
    if _is_event(value):
        return [("", value)]
    return [("data", needed_object(unpacked(value["data"]), "data"))]


def _once(events: list[tuple[Record, str, Fields]], notes: Notes) -> list[tuple[Record, str, Fields]]:
    """Leave out utterances that stand twice, with the same time and text: brokers deliver at least once."""
    seen: set[tuple[str, ...]] = set()
    found: list[tuple[Record, str, Fields]] = []
    for placed in events:
        event = placed[2]
        key = (
            str(event.get("event")),
            str(event.get("timestamp")),
            str(event.get("text")),
            str(event.get("data")),
        )
        if str(event.get("event")) in SPEECH and event.get("timestamp") is not None:
            if key in seen:
                notes.count("{n} utterances stand twice and were read once")
                continue
            seen.add(key)
        found.append(placed)
    return found


def _sessions(sender: str, events: list[tuple[Record, str, Fields]], about: Fields) -> Iterator[Made]:
    sessions: list[list[Fields]] = [[]]
    session: str | None = None
    for record, place, event in events:
        kind = event.get("event")
        told = event.get("metadata")
        new = first_name(told, "session_id") if isinstance(told, dict) else None
        if kind in ("session_started", "restart") or (new and session and new != session):
            sessions.append([])
        session = new or session
        said = sessions[-1]
        if kind in ("rewind", "undo"):
            _take_back(said)
        elif isinstance(kind, str) and kind in SPEECH:
            try:
                said.append(_utterance(event, SPEECH[kind], place))
            except MalformedError as bad:
                raise record.at(bad) from None
    spoken = [said for said in sessions if said]
    for number, said in enumerate(spoken, start=1):
        yield stated(
            id=sender if len(spoken) == 1 else f"{sender}-{number}",
            user=sender,
            source="rasa",
            messages=[*said],
            metadata=about,
        )


def _take_back(said: list[Fields]) -> None:
    """Take the user's last utterance back, and what followed it."""
    for at in range(len(said) - 1, -1, -1):
        if said[at]["role"] == "user":
            del said[at:]
            return


def _utterance(event: Fields, speaker: str, place: str) -> Fields:
    said = text(event.get("text"), f"{place}.text" if place else "text")
    parsed = event.get("parse_data")
    intent = parsed.get("intent") if isinstance(parsed, dict) else None
    found = name(intent.get("name")) if isinstance(intent, dict) else None
    kept = rest(event, "event", "text", "parse_data", "sender_id", "message_id")
    return message(speaker, said, {**kept, **stated(intent=found)})


RASA = GroupedFormat(
    "rasa", "Rasa's trackers", ("sender_id", "events", "event", "timestamp", "slots"), _is_rasa, _rasa
)
