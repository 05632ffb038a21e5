"""Cards of data sets: what each holds, who made it, under which licence, and where it comes from."""

from __future__ import annotations

import tomllib

from pydantic import BaseModel, ConfigDict

from convsim._resources import shared
from convsim.errors import InputError
from convsim.schema.record import Count, Flag, Name, Number, Text


class Card(BaseModel):
    """One data set; what is not known is null."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Name
    title: Text
    written_by_people: Flag
    note: Text
    file: Name
    licence: Text
    home: Text
    citation: Text | None = None
    url: Text | None = None
    """Where ``file`` can be fetched; null where it comes with convsim."""
    sha256: Text | None = None
    megabytes: Number | None = None
    conversations: Count | None = None
    turns: Count | None = None
    recommendations: Count | None = None
    items: Count | None = None


def cards() -> tuple[Card, ...]:
    """Return all cards by name."""
    paths = sorted(shared("cards").glob("*.toml"))
    return tuple(Card.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))) for path in paths)


def card(name: str) -> Card:
    """Return the card of that name; raises InputError where there is none."""
    known = {card.name: card for card in cards()}
    if name not in known:
        raise InputError(f"no data set is called {name!r}; there are {', '.join(known)}")
    return known[name]
