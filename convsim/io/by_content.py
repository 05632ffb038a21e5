"""Finds the format of records by what is in them, and gathers its conversations.

A value is asked about as a whole, and where nobody knows it, by what lies in it: the elements of an array, those of the
one list of objects in an object, and texts that hold JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from convsim._text import listed
from convsim.errors import TranscriptError
from convsim.io.containers import Found, Records
from convsim.io.formats.contract import HEAD_RECORDS, AnyFormat, Format, Made, Notes, Record
from convsim.io.formats.messages import Unread, named_by, read_messages
from convsim.io.jsonl import conversation_of, parse_json
from convsim.io.problems import MalformedError, shown
from convsim.io.transcripts import Gathering, Transcripts
from convsim.schema.conversation import Conversation

IDS = ("id", "task", "agent", "arm", "user", "simulator", "shopper", "source")
"""Names that other systems write as numbers."""


class Known(NamedTuple):
    """What is known of a file by its first records: its format, and all that it holds, the first ones included."""

    format: AnyFormat | None
    records: Iterator[Found]
    first: Record | None
    """The first record, whoever knows it."""


def look(records: Iterable[Found], formats: Sequence[AnyFormat]) -> Known:
    """Find the first format that knows one of the first records; raises TranscriptError where a file cannot be read."""
    rest = iter(records)
    held: list[Found] = []
    first = None
    for found in islice(rest, HEAD_RECORDS):
        held.append(found)
        if isinstance(found, MalformedError):
            continue
        first = first or found
        if format := format_of(found, formats):
            return Known(format, chain(held, rest), first)
    return Known(None, chain(held, rest), first)


def format_of(record: Record, formats: Sequence[AnyFormat]) -> AnyFormat | None:
    """Return the first format that knows a record as a whole; where none does, the first that knows a part of it."""
    for parts in _levels(record):
        head = [part.value for part in islice(parts(), HEAD_RECORDS)]
        for format in formats:
            if any(map(format.recognises, head)):
                return format
    return None


def _levels(record: Record) -> Iterator[Callable[[], Iterator[Record]]]:
    """Yield the ways to look at a record, from the whole of it to its parts."""
    yield lambda: iter((record,))
    yield lambda: _decoded(iter((record,)))
    yield lambda: _elements(record)
    yield lambda: _decoded(_elements(record))


def _elements(record: Record) -> Iterator[Record]:
    """Yield the elements of an array, or those of the only list of objects in an object."""
    value, place = record.value, record.field or ""
    if isinstance(value, dict):
        lists = [
            key
            for key, each in value.items()
            if isinstance(each, list) and any(isinstance(x, dict) for x in each)
        ]
        if len(lists) != 1:
            return
        place, value = f"{place}.{lists[0]}" if place else lists[0], value[lists[0]]
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield record._replace(value=element, field=f"{place}[{index}]")


def _is_object(value: JsonValue) -> bool:
    return isinstance(value, dict)


def _decoded(records: Iterator[Record]) -> Iterator[Record]:
    """Yield those records in which a text holds a JSON list of objects, with the list in its place."""
    for record in records:
        if isinstance(record.value, dict) and (lists := dict(_texts_with_lists(record.value))):
            yield record._replace(value={**record.value, **lists})


def _texts_with_lists(value: dict[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    for key, text in value.items():
        if isinstance(text, str) and text.startswith("[") and text[1:20].lstrip().startswith("{"):
            try:
                yield key, parse_json(text.encode())
            except (MalformedError, UnicodeEncodeError):
                continue


def parts_of(record: Record, format: AnyFormat) -> Iterator[Record]:
    """Yield the record where the format knows it, else its parts where it knows one of these, else the record."""
    for parts in _levels(record):
        if any(format.recognises(part.value) for part in islice(parts(), HEAD_RECORDS)):
            yield from parts()
            return
    yield record


def gather(
    format: AnyFormat, found: Iterable[Found], records: Records, *, skip_bad: bool, named: str | None = None
) -> Transcripts:
    """Make conversations of all records.

    Args:
        format: Their format.
        found: The records, also those that were looked at already.
        records: What holds them.
        skip_bad: Skip and count bad ones.
        named: What the format is called, where not by its name.

    Raises:
        TranscriptError: Its file, line and field, and what is wrong.
    """
    gathering = Gathering(records.path, skip_bad=skip_bad)
    notes = Notes()
    unread = Unread()
    taking = _Taking(format.name, gathering, unread)
    good = _good(found, gathering)
    if isinstance(format, Format):
        for record in good:
            for part in parts_of(record, format):
                taking.take_all(partial(format.conversations, part, notes), part)
    else:
        parts = (part for record in good for part in parts_of(record, format))
        taking.take_all(partial(format.conversations, parts, notes), None)
    conversations = gathering.finish()
    if unread.n:
        notes.say(_check_unread(records.path, unread, sum(len(c.user_messages) for c in conversations)))
    return Transcripts(
        records.path,
        records.sha256,
        conversations,
        named or format.name,
        notes.warnings(),
        gathering.skipped,
    )


def _check_unread(path: Path, unread: Unread, n_user: int) -> str:
    """Say how many users' messages are empty though their content is not; raises TranscriptError for too many."""
    kinds = listed([f"{kind} ({n:,})" for kind, n in unread.parts.most_common()], MAX_KINDS)
    said = f"{unread.n:,} of {n_user:,} user messages are empty: nothing was read of their content, which has {kinds}"
    if unread.n > MAX_UNREAD_SHARE * n_user:
        raise TranscriptError(
            path, f"{said}; convsim reads only text: put it into content, or leave such conversations out"
        )
    return said


MAX_UNREAD_SHARE = 0.05
MAX_KINDS = 5


def refuse(
    found: Iterable[Found], records: Records, *, skip_bad: bool, why: Callable[[JsonValue], str]
) -> Transcripts:
    """Raise what is wrong with records that nobody knows: TranscriptError.

    Args:
        found: The records, also those that were looked at already.
        records: What holds them.
        skip_bad: Count all of them.
        why: Says what is wrong with one.
    """
    gathering = Gathering(records.path, skip_bad=skip_bad)
    for record in islice(_good(found, gathering), HEAD_RECORDS):
        gathering.take(None, partial(_refuse, record.bad(why(record.value))))
    gathering.finish()
    raise AssertionError("records that nobody knows became conversations")


def _good(found: Iterable[Found], gathering: Gathering) -> Iterator[Record]:
    """Yield what is no error, and have the errors counted, or raised."""
    for each in found:
        if isinstance(each, Record):
            yield each
        else:
            gathering.take(each.line, partial(_refuse, each))


def _refuse(bad: MalformedError) -> Conversation:
    raise bad


class _Taking:
    """Takes what a format makes of records, named where it has no name."""

    def __init__(self, name: str, gathering: Gathering, unread: Unread) -> None:
        self._name, self._gathering, self._unread = name, gathering, unread
        self._places: dict[str, str | None] = {}

    def take_all(self, make: Callable[[], Iterable[Made]], record: Record | None) -> None:
        """Take all that is made of a record, or of all of them."""
        try:
            for number, made in enumerate(make(), start=1):
                self._take(partial(self._conversation, made, record, number), record)
        except MalformedError as bad:
            self._take(partial(_refuse, bad), record)

    def _take(self, make: Callable[[], Conversation], record: Record | None) -> None:
        line = record.line if record and record.file is None else None
        self._gathering.take(line, partial(_placed, make, record))

    def _conversation(self, made: Made, record: Record | None, number: int) -> Conversation:
        if isinstance(made, MalformedError):
            raise made
        named = self._named(record, number)
        made = made if isinstance(made, Conversation) else self._of_mapping(made, named)
        if record is None or record.line is None or record.file is not None or number > 1:
            self._check_new(made.id, record.place if record else None)
        return made

    def _named(self, record: Record | None, number: int) -> str:
        """Return what a conversation without an id is called."""
        if record is None:
            return f"{self._name}-{number - 1:05d}"
        if record.file is not None:
            base = record.file.partition(".")[0]
            parts = [str(part) for part in (record.line, record.field) if part is not None]
            name = "-".join([base, *parts])
        elif record.line is not None:
            name = f"line-{record.line}"
        else:
            name = f"{self._name}-{self._gathering.n_taken:05d}"
        return name if number == 1 else f"{name}-{number}"

    def _check_new(self, id: str, place: str | None) -> None:
        if id in self._places:
            first = f"is also {self._places[id]}" if self._places[id] else "occurs twice"
            raise MalformedError(f"must be unique, but {shown(id)} {first}", field="id")
        self._places[id] = place

    def _of_mapping(self, made: Mapping[str, Any], named: str) -> Conversation:
        document = {key: value for key, value in made.items() if value is not None}
        for key in IDS:
            if key in document:
                document[key] = named_by(document[key])
        if "messages" in document:
            document["messages"] = read_messages(document["messages"], self._unread)
        return conversation_of({"id": named, **document})


def _placed(make: Callable[[], Conversation], record: Record | None) -> Conversation:
    try:
        return make()
    except MalformedError as bad:
        raise (record.at(bad) if record else bad) from None
