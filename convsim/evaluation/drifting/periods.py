"""When conversations were held, by a field that states it, and in which periods that puts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from convsim._text import listed, one_line
from convsim.errors import InputError
from convsim.evaluation.sides import Side
from convsim.schema.conversation import Conversation
from convsim.schema.units import independent_unit

DATE_FIELDS = ("date", "time", "timestamp", "datetime", "created_at", "started_at", "start_time")
"""Looked at in this order where no field is named."""
MIN_UNITS = 8
"""Users or conversations of a period; one with fewer is left out."""
MOST_PERIODS = 36
MILLISECONDS = 1e11
"""A number of seconds as large as this would lie in the year 5138: it is one of milliseconds."""
FORMATS = {"month": "%Y-%m", "year": "%Y"}
N_NAMED = 8


@dataclass(frozen=True)
class Dated:
    """Which field holds dates, and the date of each conversation by its place."""

    field: str | None
    of_each: Sequence[datetime | None]


def dates_of(conversations: Sequence[Conversation], field: str | None) -> Dated:
    """Read the dates.

    Args:
        conversations: Of all files.
        field: What logs state beside their conversations; None for the first of the usual names that holds dates.

    Raises:
        InputError: A field is named that holds none.
    """
    for name in [field] if field else DATE_FIELDS:
        found = [read_date(c.metadata.get(name)) for c in conversations]
        if any(found):
            return Dated(name, found)
    if field:
        stated = list(dict.fromkeys(key for c in conversations for key in c.metadata))
        has = listed([one_line(name) for name in stated], N_NAMED) or "none beside the usual ones"
        raise InputError(
            f"--date {one_line(field)}: no conversation states a date there (ISO 8601, or seconds since 1970); "
            f"fields: {has}"
        )
    return Dated(None, [None] * len(conversations))


def read_date(value: object) -> datetime | None:
    """Read a date in ISO 8601, or seconds or milliseconds since 1970; None where it is none."""
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value.strip())
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) >= MILLISECONDS else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


@dataclass(frozen=True)
class Periods:
    """Conversations by period, the earliest first."""

    by: str
    of: Mapping[str, list[Conversation]]
    left_out: Mapping[str, int]
    """Periods with too few units, and how many they have."""
    n_undated: int
    """Conversations without a date, where periods are told by dates."""


def periods_of(sides: Sequence[Side], by: str | None, dated: Dated) -> Periods:
    """Put conversations into periods: by file, in the order given, by month or year, or by the values of a field.

    Args:
        sides: One a file.
        by: ``file``, ``month``, ``year`` or a field whose values are in order; by default the file where there are
            several, else the month.
        dated: Of the conversations of all files, one after another.

    Raises:
        InputError: There are fewer than two periods, or there are too many, or no dates to tell them by.
    """
    by = by or ("file" if len(sides) > 1 else "month")
    conversations = [c for side in sides for c in side.conversations]
    if by == "file":
        named = zip(_names(sides), sides, strict=True)
        keys: list[str | None] = [name for name, side in named for _ in side.conversations]
    elif by in FORMATS:
        if dated.field is None:
            raise InputError(
                f"--by {by}: no conversation states when it was held; looked for {', '.join(DATE_FIELDS)} (name "
                "another with --date FIELD), or give two or more files, the oldest first"
            )
        keys = [None if date is None else date.strftime(FORMATS[by]) for date in dated.of_each]
    else:
        keys = [_stated(c, by) for c in conversations]
    found: dict[str, list[Conversation]] = {}
    for key, conversation in zip(keys, conversations, strict=True):
        if key is not None:
            found.setdefault(key, []).append(conversation)
    names = list(found) if by == "file" else sorted(found)
    n_units = {name: len({independent_unit(c) for c in found[name]}) for name in names}
    kept = {name: found[name] for name in names if n_units[name] >= MIN_UNITS}
    if len(kept) < 2:
        has = listed([f"{one_line(name)} ({n_units[name]})" for name in names], N_NAMED) or "none"
        raise InputError(
            f"--by {one_line(by)}: expected two or more periods of at least {MIN_UNITS} users or conversations, found "
            f"{has}"
        )
    if len(kept) > MOST_PERIODS:
        raise InputError(
            f"--by {one_line(by)}: {len(kept)} periods, at most {MOST_PERIODS} are compared; --by year has fewer"
        )
    left_out = {name: n for name, n in n_units.items() if n < MIN_UNITS}
    return Periods(by, kept, left_out, keys.count(None))


def _names(sides: Sequence[Side]) -> list[str]:
    """Name each file by its stem, with a number where two have one."""
    stems = [
        Path(side.summary.path).stem if side.summary.path else f"file {n}" for n, side in enumerate(sides, 1)
    ]
    return [stem if stems.count(stem) == 1 else f"{stem} ({n})" for n, stem in enumerate(stems, 1)]


def _stated(conversation: Conversation, field: str) -> str | None:
    value = conversation.metadata.get(
        field, getattr(conversation, field, None) if field in ("arm", "source") else None
    )
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)
