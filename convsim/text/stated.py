"""What a message in English asks of an item: its price, its size, its color."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from convsim.text.constraints import Budget, budget_in, sizes_in
from convsim.text.english import english
from convsim.text.folding import plain_text
from convsim.text.words import words

MAX_CHARACTERS = 2_000
"""Of a message, from its beginning, that are read."""
NEGATED_WITHIN = 2
"""A color is unwanted if one of so many words before it negates."""


class Stated(NamedTuple):
    """What one message asks for; empty where it does not say."""

    budget: Budget
    sizes: frozenset[str]
    colors: frozenset[str]
    """Those that are wanted."""
    unwanted_colors: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.budget or self.sizes or self.colors or self.unwanted_colors)


def stated_in(text: str) -> Stated:
    """Read one message by itself; "cheaper" without an amount states nothing."""
    plain = plain_text(text[:MAX_CHARACTERS])
    wanted, unwanted = _colors(words(plain))
    return Stated(
        budget_in(plain.lower(), Budget(), cheapest_shown=None),
        frozenset(sizes_in(plain, _sizes())),
        wanted,
        unwanted,
    )


def sets_aside(text: str) -> bool:
    """Tell whether a message refuses what was shown ("not these", "something else")."""
    return _asides().search(plain_text(text[:MAX_CHARACTERS]).lower()) is not None


def asks_for_less(text: str) -> bool:
    """Tell whether a message finds what was shown too dear, with or without an amount."""
    lowered = plain_text(text[:MAX_CHARACTERS]).lower()
    return bool(budget_in(lowered, Budget(), cheapest_shown=1.0))


@cache
def colors() -> frozenset[str]:
    """Return the names of colors, in lower case (``colors.txt``)."""
    lines = files("convsim.text").joinpath("colors.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


@cache
def _sizes() -> frozenset[str]:
    return frozenset(english().sizes.names.values())


@cache
def _asides() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in english().asides.any))


def _colors(said: list[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the colors that are wanted and those that are not; "navy blue" is one color."""
    named = colors()
    negating = frozenset(english().negating.before)
    wanted: set[str] = set()
    unwanted: set[str] = set()
    at = 0
    while at < len(said):
        two = " ".join(said[at : at + 2])
        color = two if two in named else said[at] if said[at] in named else None
        if color is not None:
            before = said[max(0, at - NEGATED_WITHIN) : at]
            (unwanted if negating.intersection(before) else wanted).add(color)
        at += 2 if color == two else 1
    return frozenset(wanted), frozenset(unwanted)
