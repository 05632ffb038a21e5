"""Which conversations are asked for: filters as they stand in an address, and as a question to the index."""

from __future__ import annotations

import math
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import NamedTuple
from urllib.parse import urlencode

from convsim.web.view.index import Index, spaced

PAGE_SIZE = 50
MAX_CHARACTERS = 300
"""Of one filter."""
MAX_CHOICES = 100
"""Of a menu."""
SELDOM_S = 5.0
"""While files are read, menus are made anew no sooner than that."""
ORDERS = {
    "": ("as in the file", "c.source, c.number"),
    "newest": ("newest first", "c.number DESC"),
    "lowest": ("least human-like first", "c.score IS NULL, c.score, c.number"),
    "highest": ("most human-like first", "c.score IS NULL, c.score DESC, c.number"),
    "longest": ("longest first", "c.n_messages DESC, c.number"),
}
"""How the list may be ordered, in words and for the index."""
NONE = "(none)"
"""Stands in an address for "has none"."""


@dataclass(frozen=True)
class Filters:
    """What is asked for; empty asks for everything."""

    run: str = ""
    arm: str = ""
    ending: str = ""
    task: str = ""
    label: str = ""
    """``NAME`` or ``NAME=VALUE``."""
    word: str = ""
    low: str = ""
    high: str = ""
    """Human-likeness in per cent."""
    text: str = ""
    comments: str = ""
    """``1``: only what has comments."""
    order: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filters:
        """Read an address's query; what is no filter is ignored."""
        given = {field.name: query.get(field.name, "")[:MAX_CHARACTERS].strip(" ") for field in fields(cls)}
        made = cls(**given)
        return made if made.order in ORDERS else replace(made, order="")

    @property
    def query(self) -> str:
        """The filters as an address has them."""
        return urlencode(self.given)

    @property
    def given(self) -> dict[str, str]:
        """Those that ask for something."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}

    @property
    def narrows(self) -> bool:
        """Whether something is left out."""
        return bool(self.given.keys() - {"order"})

    def where(self) -> tuple[str, list[object]]:
        """Return the condition on a conversation ``c``, and its values."""
        parts: list[str] = ["1"]
        values: list[object] = []
        for name in ("arm", "ending", "task"):
            if value := getattr(self, name):
                parts.append(f"c.{name} IS NULL" if value == NONE else f"c.{name} = ?")
                values += [] if value == NONE else [value]
        if self.run:
            parts.append("c.source IN (SELECT number FROM source WHERE name = ?)")
            values.append(self.run)
        if self.label:
            name, equals, value = self.label.partition("=")
            of = "SELECT conversation FROM label WHERE name = ?" + (" AND value = ?" if equals else "")
            parts.append(f"c.number IN ({of})")
            values += [name, value] if equals else [name]
        if self.word:
            parts.append("c.number IN (SELECT conversation FROM word WHERE word = ?)")
            values.append(self.word)
        for bound, sign in ((self.low, ">="), (self.high, "<=")):
            if (limit := _number(bound)) is not None:
                parts.append(f"c.score {sign} ?")
                values.append(limit / 100)
        if self.text:
            sought = fts(self.text)
            parts.append("c.number IN (SELECT rowid FROM said WHERE said MATCH ?)" if sought else "0")
            values += [sought] if sought else []
        if self.comments:
            parts.append("(c.id, c.fingerprint) IN (SELECT id, fingerprint FROM commented)")
        return " AND ".join(parts), values


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def fts(text: str) -> str:
    """Write what somebody searches for as FTS5 asks it: all words, each by its beginning; in quotes, just so."""
    asked = []
    for quoted, bare in re.findall(r'"([^"]*)"|([^\s"]+)', spaced(text)):
        said = (quoted or bare).replace("\x00", " ")
        if any(character.isalnum() for character in said):
            asked.append(f'"{said}"' + ("" if quoted else "*"))
    return " AND ".join(asked)


class Row(NamedTuple):
    """A line of the list."""

    key: str
    run: str
    id: str
    arm: str | None
    task: str | None
    ending: str
    persona: str | None
    n_messages: int
    opening: str
    score: float | None
    n_comments: int


class Choice(NamedTuple):
    """A value that can be filtered by, and how many conversations have it."""

    value: str
    words: str
    n: int


class Run(NamedTuple):
    """A run or file, in numbers."""

    name: str
    n: int
    planned: int | None
    n_failed: int
    score: float | None
    """Mean human-likeness."""
    n_bad: int
    problem: str


COMMENTED = (
    "CREATE TEMP TABLE commented (id TEXT, fingerprint TEXT, n INTEGER, PRIMARY KEY (id, fingerprint))"
)
Commented = Mapping[tuple[str, str], int]
"""Comments by a conversation's id and fingerprint."""


class Found:
    """What an index holds, asked with the comments that there are."""

    def __init__(self, index: Index):
        self.index = index
        self._choices: tuple[int, dict[str, list[Choice]]] = (-1, {})
        self._asked_at = 0.0

    def count(self, filters: Filters, commented: Commented) -> int:
        """Return how many conversations pass."""
        where, values = filters.where()
        with self._asking(filters, commented) as connection:
            found: int = connection.execute(
                f"SELECT count(*) FROM conversation c WHERE {where}", values
            ).fetchone()[0]
        return found

    def page(self, filters: Filters, commented: Commented, page: int) -> list[Row]:
        """Return the conversations of a page, from 1."""
        where, values = filters.where()
        order = ORDERS[filters.order][1]
        with self._asking(filters, commented) as connection:
            rows = connection.execute(
                "SELECT c.key, s.name, c.id, c.arm, c.task, c.ending, c.persona, c.n_messages, c.opening, c.score, "
                f"c.fingerprint FROM conversation c JOIN source s ON s.number = c.source WHERE {where} "
                f"ORDER BY {order} LIMIT ? OFFSET ?",
                [*values, PAGE_SIZE, (page - 1) * PAGE_SIZE],
            ).fetchall()
        return [Row._make((*row[:10], commented.get((row[2], row[10]), 0))) for row in rows]

    def keys(self, filters: Filters, commented: Commented) -> Iterator[str]:
        """Yield the keys of all that pass, in order; a few thousand are held at a time."""
        where, values = filters.where()
        with self._asking(filters, commented) as connection:
            asked = connection.execute(
                f"SELECT c.key FROM conversation c WHERE {where} ORDER BY {ORDERS[filters.order][1]}", values
            )
            while some := asked.fetchmany(2_000):
                yield from (key for (key,) in some)

    def runs(self) -> list[Run]:
        """Return what is looked at."""
        with self.index.connected() as connection:
            rows = connection.execute(
                "SELECT s.name, count(c.number), s.planned, coalesce(sum(c.ending IN ('agent_failed', "
                "'shopper_failed')), 0), avg(c.score), s.n_bad, s.problem FROM source s "
                "LEFT JOIN conversation c ON c.source = s.number GROUP BY s.number ORDER BY s.number"
            ).fetchall()
        return [Run(*row) for row in rows]

    def choices(self) -> dict[str, list[Choice]]:
        """Return what can be filtered by; asked anew where the index has changed."""
        version, now = self.index.version, time.monotonic()
        is_due = not self.index.reading or now - self._asked_at > SELDOM_S
        if self._choices[0] < 0 or (self._choices[0] != version and is_due):
            self._choices, self._asked_at = (version, self._asked_choices()), now
        return self._choices[1]

    def _asked_choices(self) -> dict[str, list[Choice]]:
        found: dict[str, list[Choice]] = {}
        with self.index.connected() as connection:
            for name in ("arm", "ending", "task"):
                rows = connection.execute(
                    f"SELECT {name}, count(*) FROM conversation GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MAX_CHOICES}"
                ).fetchall()
                made = [Choice(NONE, "(none)", n) if v is None else Choice(v, v, n) for v, n in rows]
                found[name] = made if len(made) > 1 or any(each.value != NONE for each in made) else []
            found["run"] = [Choice(run.name, run.name, run.n) for run in self.runs()]
            labels = connection.execute(
                "SELECT name, value, count(DISTINCT conversation) FROM label GROUP BY 1, 2 "
                f"ORDER BY 1, 3 DESC LIMIT {MAX_CHOICES}"
            ).fetchall()
            found["label"] = [Choice(f"{name}={value}", f"{name} = {value}", n) for name, value, n in labels]
            words = connection.execute(
                "SELECT word, side, count(*) FROM word GROUP BY 1, 2 ORDER BY 2 DESC, 3 DESC "
                f"LIMIT {MAX_CHOICES}"
            ).fetchall()
            found["word"] = [
                Choice(word, f"{word} ({'simulator' if side == 'simulated' else 'people'})", n)
                for word, side, n in words
            ]
            scored = connection.execute(
                "SELECT count(*) FROM conversation WHERE score IS NOT NULL"
            ).fetchone()
            found["score"] = [Choice("", "", scored[0])] if scored[0] else []
        return found

    def _asking(self, filters: Filters, commented: Commented) -> _Asking:
        return _Asking(self.index, commented if filters.comments else {})


class _Asking:
    """A connection that knows what has comments."""

    def __init__(self, index: Index, commented: Commented):
        self._connected = index.connected()
        self._commented = commented

    def __enter__(self) -> sqlite3.Connection:
        connection = self._connected.__enter__()
        connection.execute(COMMENTED)
        connection.executemany(
            "INSERT INTO commented VALUES (?, ?, ?)", [(*said, n) for said, n in self._commented.items()]
        )
        return connection

    def __exit__(self, *error: object) -> None:
        self._connected.__exit__(*error)  # type: ignore[arg-type]
