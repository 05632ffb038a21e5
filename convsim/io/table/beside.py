"""What stands beside messages: user, agent, arm, task, items, rating and ending, by names that contents bear out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from convsim.io.table.mapping import RatingMap, TableMapping
from convsim.io.table.profile import Column
from convsim.io.table.structure import Groups
from convsim.io.table.times import number_of
from convsim.io.table.wording import endings, tokens_of, truth, words
from convsim.schema.conversation import Ending

NAMED = 0.6
CONSTANT = 0.98
MOST_VALUES = 30
MOST_WORDS = 10
"""Of ids of items in a cell, on average."""
SCALES = ((1, 5), (0, 1), (0, 5), (1, 7), (1, 10), (0, 10), (-1, 1), (0, 100))
"""Scales that are usual; the first that holds all numbers is taken."""
ENDINGS: frozenset[str] = frozenset(get_args(Ending))
STARS = ("★", "⭐")


@dataclass
class Beside:
    """The columns that were found, and what the values of ratings and outcomes become."""

    choices: list[tuple[str, Column, str]] = field(default_factory=list)
    rating: RatingMap = field(default_factory=RatingMap)
    endings: dict[str, Ending] = field(default_factory=dict)


def beside(
    columns: Sequence[Column], chosen: Mapping[str, str], groups: Groups | None, mapping: TableMapping
) -> Beside:
    """Find what stands beside messages, and complete what the mapping states of it."""
    found = Beside(rating=mapping.rating, endings=dict(mapping.endings))
    taken = set(chosen.values())
    if mapping.guess and groups is not None:
        for meaning in ("rating", "ending", "items", "simulator", "user", "agent", "arm", "task"):
            if meaning in chosen:
                continue
            fitting = [
                column for column in columns
                if column.name not in taken
                and column.hints.get(meaning, 0.0) >= NAMED
                and _bears_out(meaning, column, groups)
            ]  # fmt: skip
            fitting.sort(key=lambda c: (-c.hints[meaning], c.place))
            if fitting:
                found.choices.append((meaning, fitting[0], _why(meaning, fitting[0])))
                taken.add(fitting[0].name)
    by_meaning = {meaning: column for meaning, column, _ in found.choices}
    by_name = {column.name: column for column in columns}
    by_meaning |= {meaning: by_name[name] for meaning, name in chosen.items() if name in by_name}
    if (rating := by_meaning.get("rating")) is not None:
        found.rating = _rated(rating, mapping.rating, groups)
    if (ending := by_meaning.get("ending")) is not None and mapping.guess:
        found.endings = {**_ends(ending), **mapping.endings}
    return found


def _bears_out(meaning: str, column: Column, groups: Groups) -> bool:
    if not column.counts:
        return False
    if meaning == "rating":
        return rating_scale(list(column.counts)) is not None
    if meaning == "ending":
        return column.distinct <= MOST_VALUES and bool(_ends(column))
    if meaning == "items":
        return (column.lists or column.words < MOST_WORDS) and not column.forms
    return groups.constant(column) >= CONSTANT and column.filled > 0.5 and not column.forms


def _why(meaning: str, column: Column) -> str:
    if meaning in ("rating", "ending"):
        return f"its name, and its {column.distinct} values"
    return "its name, and lists or ids" if meaning == "items" else "its name, and one value a conversation"


def rating_of(value: str) -> float | None:
    """Return the number that an answer is: ``4``, ``4/5``, ``4 stars``, ``★★★★☆``; None where it is none."""
    value = value.strip()
    if (number := number_of(value)) is not None:
        return number
    if stars := sum(map(value.count, STARS)):
        return float(stars)
    first = value.replace("/", " ").split()
    return number_of(first[0]) if first and len(value) < MOST_VALUES else None


def rating_scale(values: Sequence[str]) -> tuple[float, float] | None:
    """Return the usual scale of some ratings; None where they are none."""
    wordings = _wordings()
    numbers = [
        rating_of(value) if rating_of(value) is not None else wordings.get(tokens_of(value))
        for value in values
    ]
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        return None
    return next(((float(a), float(b)) for a, b in SCALES if a <= min(known) and max(known) <= b), None)


def _wordings() -> dict[tuple[str, ...], float]:
    return {tokens_of(said): float(number) for number, those in words()["ratings"].items() for said in those}


def _rated(column: Column, stated: RatingMap, groups: Groups | None) -> RatingMap:
    """Complete how a rating is read: of conversations where none has several, else of messages."""
    wordings = _wordings()
    values = dict(stated.values)
    for value in column.counts:
        if (
            value not in values
            and rating_of(value) is None
            and (number := wordings.get(tokens_of(value))) is not None
        ):
            values[value] = number
    plain = [value for value in column.counts if value not in stated.values]
    scale = stated.scale or (rating_scale(plain) if plain and not stated.values else None)
    if scale is None and stated.values:
        scale = min(stated.values.values()), max(stated.values.values())
        scale = scale if scale[0] < scale[1] else None
    several = groups is not None and sum(
        len({column.cells[at] for at in rows} - {""}) > 1 for rows in groups.rows
    )
    level = stated.level or ("message" if groups and several > 0.02 * len(groups.rows) else "conversation")
    return stated.but(scale=scale, values=values, level=level)


def _ends(column: Column) -> dict[str, Ending]:
    """Return the endings of the values of an outcome, as far as they are known."""
    found: dict[str, Ending] = {}
    for value in column.counts:
        if value in ENDINGS:
            found[value] = value  # type: ignore[assignment]
            continue
        answer = truth(value)
        if answer is not None:
            found[value] = "accepted" if answer else "left"
            continue
        meant = sorted(((score, ending) for ending, score in endings(value).items()), reverse=True)
        if meant and (len(meant) == 1 or meant[0][0] > meant[1][0]):
            found[value] = meant[0][1]  # type: ignore[assignment]
    return found
