"""Public sets of task-oriented dialogues: MultiWOZ, SGD, Taskmaster, CCPE; and corpora of ConvoKit.

- **MultiWOZ 2.1**: an object of dialogues by their name, each a ``log`` in which the user and the system speak in
  turn, the user first; the system's entries are those with ``metadata`` in them. **2.2** and **SGD**: ``turns`` of a
  ``speaker`` USER or SYSTEM, who is the agent and no system message; MultiWOZ's are named like files.
  Source: budzianowski/multiwoz ``data/MultiWOZ_2.2/README.md`` (140bffd4); google-research-datasets/
  dstc8-schema-guided-dialogue ``README.md``.
- **Taskmaster** 1 to 4: ``utterances`` of a USER and an ASSISTANT, in the order of their ``index``. One crowd worker
  wrote both sides of many. Source: google-research-datasets/Taskmaster ``TM-1-2019/sample.json`` (344ea54a).
- **CCPE**: the same with ``conversationId``. Source: google-research-datasets/ccpe ``README.md`` (2c9cd30f).
- **ConvoKit**: a row an utterance, ordered by time. It does not say who is the user: that is taken from a role in the
  utterance's ``meta`` or from the speaker's name, and refused where neither tells. Source:
  convokit.cornell.edu/documentation/data_format.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import JsonValue

from convsim.io.formats.contract import GroupedFormat, Made, Notes, Record
from convsim.io.formats.fields import (
    Fields,
    an_object,
    as_number,
    first_name,
    format_of_objects,
    in_order,
    is_list_of,
    message,
    moment,
    name,
    needed_object,
    objects,
    rest,
    role,
    stated,
    step,
    text,
)
from convsim.io.problems import MalformedError, shown


def _is_log(value: JsonValue) -> bool:
    return isinstance(value, dict) and is_list_of(value.get("log"), "text") and "turns" not in value


def _is_multiwoz(value: JsonValue) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    return (
        _is_log(value)
        or _is_log(next(iter(value.values())))
        or (_has_turns(value) and _is_multiwoz_id(value))
    )


def _multiwoz(record: Fields, notes: Notes) -> Iterator[Made]:
    if "turns" in record:
        yield from _turns(record, "multiwoz")
    elif _is_log(record):
        yield _logged(record, first_name(record, "dialogue_id", "id"), "")
    else:
        for dialogue, told in record.items():
            place = step("", dialogue)
            yield _logged(needed_object(told, place), dialogue, f"{place}.")


def _logged(dialogue: Fields, stated_id: str | None, place: str) -> Fields:
    messages: list[JsonValue] = []
    for index, (where, entry) in enumerate(objects(dialogue.get("log"), f"{place}log")):
        speaker = "assistant" if index % 2 else "user"
        if bool(entry.get("metadata")) and speaker == "user":
            raise MalformedError("must be the user's, but has the system's metadata", field=where)
        messages.append(message(speaker, text(entry.get("text"), f"{where}.text"), rest(entry, "text")))
    return stated(
        id=stated_id,
        agent="human wizard",
        source="multiwoz",
        messages=messages,
        metadata=rest(dialogue, "dialogue_id", "id", "log"),
    )


def _has_turns(value: JsonValue) -> bool:
    return (
        isinstance(value, dict)
        and {"dialogue_id", "turns"} <= value.keys()
        and is_list_of(turn_list(value["turns"]), "speaker", "utterance")
    )


def turn_list(turns: JsonValue) -> JsonValue:
    """Turn columns into turns, as Hugging Face has them (0 is the user, 1 the system); leave what is no columns."""
    if not isinstance(turns, dict) or not turns:
        return turns
    columns = {key: column for key, column in turns.items() if isinstance(column, list)}
    n = {len(column) for column in columns.values()}
    if len(n) != 1:
        return turns
    return [{key: column[at] for key, column in columns.items()} for at in range(n.pop())]


def _is_multiwoz_id(value: Fields) -> bool:
    return str(value.get("dialogue_id")).endswith(".json")


def _is_sgd(value: JsonValue) -> bool:
    return isinstance(value, dict) and _has_turns(value) and not _is_multiwoz_id(value)


def _sgd(record: Fields, _: Notes) -> Iterator[Made]:
    yield from _turns(record, "sgd")


SIDES = {"user": "user", "system": "assistant", "assistant": "assistant"}
NUMBERED = ("user", "system")


def _turns(record: Fields, source: str) -> Iterator[Made]:
    turns = objects(turn_list(record["turns"]), "turns")
    if all(as_number(turn.get("turn_id")) is not None for _, turn in turns):
        turns.sort(key=lambda placed: as_number(placed[1].get("turn_id")) or 0.0)
    services = record.get("services")
    named = [found for each in services if (found := name(each))] if isinstance(services, list) else []
    yield stated(
        id=name(record.get("dialogue_id")),
        task="+".join(named) or None,
        source=source,
        messages=[_said(place, turn, "utterance", "turn_id") for place, turn in turns],
        metadata=rest(record, "dialogue_id", "turns"),
    )


def _named(speaker: JsonValue) -> JsonValue:
    return NUMBERED[speaker] if isinstance(speaker, int) and speaker in (0, 1) else speaker


def _said(place: str, turn: Fields, key: str, *left_out: str) -> Fields:
    return message(
        role(_named(turn.get("speaker")), SIDES, f"{place}.speaker"),
        text(turn.get(key), f"{place}.{key}"),
        rest(turn, "speaker", key, *left_out),
    )


def _has_utterances(value: JsonValue, key: str) -> bool:
    return isinstance(value, dict) and key in value and is_list_of(value.get("utterances"), "speaker", "text")


def _in_turn(record: Fields) -> list[JsonValue]:
    said = objects(record["utterances"], "utterances")
    if all(as_number(entry.get("index")) is not None for _, entry in said):
        said.sort(key=lambda placed: as_number(placed[1].get("index")) or 0.0)
    return [_said(place, entry, "text", "index") for place, entry in said]


def _taskmaster(record: Fields, _: Notes) -> Iterator[Made]:
    yield stated(
        id=name(record["conversation_id"]),
        task=first_name(record, "instruction_id", "vertical", "scenario"),
        source="taskmaster",
        messages=_in_turn(record),
        metadata=rest(record, "conversation_id", "utterances"),
    )


def _ccpe(record: Fields, _: Notes) -> Iterator[Made]:
    yield stated(
        id=name(record["conversationId"]),
        agent="human wizard",
        source="ccpe",
        messages=_in_turn(record),
        metadata=rest(record, "conversationId", "utterances"),
    )


REPLIES = ("reply_to", "reply-to")
CONVERSATIONS = ("conversation_id", "root")
SPEAKERS = ("speaker", "user")
META = ("role", "speaker_role", "speaker_type", "participant", "user_type")
NAMES = {
    **SIDES,
    "seeker": "user",
    "customer": "user",
    "client": "user",
    "shopper": "user",
    "human": "user",
    "recommender": "assistant",
    "agent": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "wizard": "assistant",
}


def _is_convokit(value: JsonValue) -> bool:
    return (
        isinstance(value, dict)
        and "text" in value
        and all(value.keys() & set(keys) for keys in (REPLIES, CONVERSATIONS, SPEAKERS))
    )


def _convokit(records: Iterable[Record], notes: Notes) -> Iterator[Made]:
    conversations: dict[str, dict[str, tuple[Record, Fields]]] = {}
    for number, record in enumerate(records):
        row = record.value
        if not isinstance(row, dict) or not (root := first_name(row, *CONVERSATIONS) or name(row.get("id"))):
            yield record.bad("must be an utterance of ConvoKit with an id and a conversation_id")
            continue
        rows = conversations.setdefault(root, {})
        utterance = name(row.get("id")) or f"#{number}"
        if utterance in rows:
            notes.count("{n} utterances repeat an id of their conversation and were left out")
            continue
        rows[utterance] = (record, row)
    for root, by_id in conversations.items():
        try:
            yield _of_utterances(root, list(by_id.values()))
        except MalformedError as bad:
            yield bad


def _of_utterances(root: str, rows: list[tuple[Record, Fields]]) -> Fields:
    messages: list[JsonValue] = []
    users: set[str] = set()
    for record, row in in_order(rows, lambda placed: moment(placed[1].get("timestamp"))):
        try:
            side, speaker = _side(row)
            said = text(row.get("text"), "text")
        except MalformedError as bad:
            raise record.at(bad) from None
        others = {"speaker": speaker, **rest(row, "text", *CONVERSATIONS, *SPEAKERS)}
        messages.append(message(side, said, others))
        if side == "user":
            users.add(speaker)
    person = users.pop() if len(users) == 1 else None
    return stated(
        id=root,
        user=None if person and person.lower() in NAMES else person,
        source="convokit",
        messages=messages,
    )


def _side(row: Mapping[str, JsonValue]) -> tuple[str, str]:
    """Tell which side a speaker is on, and what it is called; raises MalformedError."""
    found = next((row[key] for key in SPEAKERS if key in row), None)
    about = an_object(found, "speaker") if isinstance(found, dict) else {}
    speaker = first_name(about, "id", "name") if about else name(found)
    meta = {**an_object(about.get("meta"), "speaker.meta"), **an_object(row.get("meta"), "meta")}
    told = next((str(meta[key]).lower() for key in META if str(meta.get(key)).lower() in NAMES), None)
    side = NAMES.get(told or str(speaker).lower())
    if side is None or speaker is None:
        raise MalformedError(
            f"must tell which side speaks, as {', '.join(list(NAMES)[:6])} do, but is {shown(speaker)}; "
            "ConvoKit does not say who is the user: give a role in meta.role, or import the file as a table",
            field="speaker",
        )
    return side, speaker


MULTIWOZ = format_of_objects(
    "multiwoz",
    "MultiWOZ",
    ("goal", "log", "dialogue_id", "services", "turns"),
    _is_multiwoz,
    _multiwoz,
)
SGD = format_of_objects(
    "sgd",
    "Schema-Guided Dialogue",
    ("dialogue_id", "services", "turns", "speaker", "utterance"),
    _is_sgd,
    _sgd,
)
TASKMASTER = format_of_objects(
    "taskmaster",
    "Taskmaster",
    ("conversation_id", "instruction_id", "utterances", "speaker", "text"),
    lambda value: _has_utterances(value, "conversation_id"),
    _taskmaster,
)
CCPE = format_of_objects(
    "ccpe",
    "CCPE",
    ("conversationId", "utterances", "speaker", "text"),
    lambda value: _has_utterances(value, "conversationId"),
    _ccpe,
)
CONVOKIT = GroupedFormat(
    "convokit",
    "ConvoKit",
    ("id", "speaker", "conversation_id", "reply_to", "timestamp", "text", "meta"),
    _is_convokit,
    _convokit,
    in_folder="utterances.jsonl",
)
