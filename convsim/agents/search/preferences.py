"""What a shopper has said so far, as wishes that an item can meet or break."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from convsim.text.constraints import Budget

Facet = Literal["kind", "category", "colors", "sizes", "material", "occasion", "brand"]
"""What a wish is about; ``kind`` is the noun of a title, such as "boots"."""

Phrase = tuple[str, ...]
"""Folded words, as ``tokens`` makes them."""


@dataclass(frozen=True)
class Wish:
    """One thing that was asked for: the words that compare, and the words as they were written."""

    phrase: Phrase
    said: str


@dataclass(frozen=True)
class Judgement:
    """One facet's phrase, wanted or refused; a later one overrules an earlier one."""

    facet: Facet
    phrase: Phrase
    wanted: bool


@dataclass
class Wishes:
    """The state of a conversation, from its messages alone."""

    wanted: dict[Facet, tuple[Wish, ...]] = field(default_factory=dict)
    """For each facet the alternatives that suit."""
    judgements: list[Judgement] = field(default_factory=list)
    budget: Budget = field(default_factory=Budget)
    words: list[tuple[str, ...]] = field(default_factory=list)
    """What to search for: one entry a user message, the newest last."""
    shown: list[str] = field(default_factory=list)
    """Ids of what the agent has shown so far, the newest last."""
    last_shown: tuple[str, ...] = ()
    set_aside: set[str] = field(default_factory=set)
    """Ids of what was shown and not wanted."""

    @property
    def known(self) -> frozenset[str]:
        """The facets that something is known about, ``price`` among them."""
        return frozenset(self.wanted) | (frozenset({"price"}) if self.budget else frozenset())
