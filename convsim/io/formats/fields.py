"""Fields of strangers' records, each checked: what is of the wrong kind is an error with its place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TypeVar

from pydantic import JsonValue

from convsim.io.formats.contract import Format, Made, Notes, Recognises, Record
from convsim.io.problems import PLAIN_KEY, MalformedError, shown

Fields = dict[str, JsonValue]
T = TypeVar("T")


Making = Callable[[Fields, Notes], Iterable[Made]]


def format_of_objects(
    name: str,
    title: str,
    keys: tuple[str, ...],
    recognises: Recognises,
    make: Making,
    *,
    asked_only: bool = False,
) -> Format:
    """Make a format of a function that is given the objects that it recognises; any other is an error of one line.

    ``asked_only`` is for one that is read where ``--reader`` names it, and never told by content.
    """

    def conversations(record: Record, notes: Notes) -> Iterable[Made]:
        value = record.value
        if isinstance(value, dict) and not recognises(value) and any(value.get(key) == [] for key in keys):
            notes.count("{n} conversations without a message were left out")
            return ()
        return make(known_object(value, title, keys, recognises), notes)

    return Format(name, title, keys, (lambda _: False) if asked_only else recognises, conversations)


def known_object(value: JsonValue, title: str, keys: tuple[str, ...], recognises: Recognises) -> Fields:
    """Return an object of a format; raises MalformedError for anything else."""
    if isinstance(value, dict) and recognises(value):
        return value
    found = (
        f"has {', '.join(shown(key, limit=20) for key in list(value)[:8])}" if isinstance(value, dict) else ""
    )
    raise MalformedError(f"must be of {title}, with {', '.join(keys)}, but {found or f'is {shown(value)}'}")


def step(place: str, key: str) -> str:
    """Return the place of what a key of a stranger's leads to, safe to print."""
    if not PLAIN_KEY.fullmatch(key):
        return f"{place}[{shown(key)}]"
    return f"{place}.{key}" if place else key


def an_object(value: JsonValue, place: str) -> Fields:
    """Return an object, empty for null; raises MalformedError where it is something else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedError(f"must be an object, but is {shown(value)}", field=place)
    return value


def objects(value: JsonValue, place: str) -> list[tuple[str, Fields]]:
    """Return the objects of a list, each with its place, none for null; raises MalformedError."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedError(f"must be a list, but is {shown(value)}", field=place)
    placed = [(f"{place}[{index}]", entry) for index, entry in enumerate(value)]
    return [(where, needed_object(entry, where)) for where, entry in placed]


def needed_object(value: JsonValue, place: str) -> Fields:
    """Return an object; raises MalformedError for anything else, null included."""
    if not isinstance(value, dict):
        raise MalformedError(f"must be an object, but is {shown(value)}", field=place or None)
    return value


def text(value: JsonValue, place: str) -> str:
    """Return a text, empty for null; raises MalformedError where it is something else."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedError(f"must be text, but is {shown(value)}", field=place)
    return value


def name(value: JsonValue) -> str | None:
    """Return an id or a name, also where it is a whole number; None where there is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


def first_name(record: Mapping[str, JsonValue], *keys: str) -> str | None:
    """Return the first id or name that one of the keys has."""
    return next((found for key in keys if (found := name(record.get(key)))), None)


def role(value: JsonValue, roles: Mapping[str, str], place: str) -> str:
    """Return who speaks, by a table of a format's speakers in lower case; raises MalformedError."""
    if isinstance(value, str) and (found := roles.get(value.strip().lower())):
        return found
    known = ", ".join(roles)
    close = get_close_matches(str(value).lower(), roles, n=1)
    meant = f"; did you mean {close[0]}" if close else ""
    raise MalformedError(f"must be one of {known}, but is {shown(value)}{meant}", field=place)


def rest(record: Mapping[str, JsonValue], *read: str) -> Fields:
    """Return what of a record was not read: it is kept in ``metadata``."""
    return {
        key: value for key, value in record.items() if key not in read and value not in (None, "", [], {})
    }


def message(speaker: str, content: str, others: Fields, **fields: JsonValue) -> Fields:
    """Return a message as convsim's JSONL has it; ``others`` is kept in its metadata."""
    return {"role": speaker, "content": content, **stated(metadata=others, **fields)}


def stated(**fields: JsonValue) -> Fields:
    """Return the fields that have something to say."""
    return {key: value for key, value in fields.items() if value is not None and value != {}}


def rating(value: JsonValue, low: float, high: float, *, source: str = "self") -> JsonValue:
    """Return a label of a number, also one written as text, None where it is not on its scale."""
    number = as_number(value)
    if number is None or not low <= number <= high:
        return None
    whole = int(number) if number.is_integer() else number
    return {"value": whole, "source": source, "scale": [low, high]}


def as_number(value: JsonValue) -> float | None:
    """Return a finite number, also one written as text; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def labels(**found: JsonValue) -> Fields:
    """Return the labels that there are, for the field ``labels``."""
    return {"labels": kept} if (kept := stated(**found)) else {}


NANOSECONDS, MICROSECONDS, MILLISECONDS = 1e17, 1e14, 1e11
"""From what a number of seconds since 1970 must be in a smaller unit: dates from 1973 to 5138 are told apart."""


def moment(value: JsonValue) -> float | None:
    """Return seconds since 1970 of an ISO text or a number in seconds, ms, µs or ns; None where it is no time."""
    if (number := as_number(value)) is not None:
        for least, per_second in ((NANOSECONDS, 1e9), (MICROSECONDS, 1e6), (MILLISECONDS, 1e3)):
            if abs(number) >= least:
                return number / per_second
        return number
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def in_order(entries: Sequence[T], when: Callable[[T], float | None]) -> list[T]:
    """Sort by time, as it was where two have the same; left as it is where one has no time."""
    times = [when(entry) for entry in entries]
    if any(time is None for time in times):
        return list(entries)
    order = sorted(range(len(entries)), key=lambda at: times[at] or 0.0)
    return [entries[at] for at in order]


def unpacked(value: JsonValue) -> JsonValue:
    """Parse a text that is a JSON object or list, as exports write them into one column; leave any other value."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        parsed: JsonValue = json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return value
    return parsed


def _no_constant(constant: str) -> JsonValue:
    raise ValueError(constant)


def is_list_of(value: JsonValue, *keys: str) -> bool:
    """Tell whether a value is a list whose first entry is an object with all of the keys."""
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(value[0], dict)
        and value[0].keys() >= set(keys)
    )
