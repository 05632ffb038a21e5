"""Where a message states a budget, a size or a color, as the search reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from typing import Literal, NamedTuple

from convsim.agents.search.clauses import read_clauses
from convsim.agents.search.vocabulary import Vocabulary
from convsim.text.constraints import NAME, Budget, budget_in, sizes_in
from convsim.text.english import english
from convsim.text.folding import Token, tokens

MAX_WORDS = 8
"""The longest run of words that states one budget or size."""
MAX_STATED = 8
"""How many budgets, and how many sizes, of one message are found."""
JOINING = ("or", "and", "nor")
"""What stands between the alternatives of one wish."""
FILLER = "zz zz {} zz zz"
"""Keeps a number that is a wish only where it stands alone from being one inside a sentence."""

WORD = re.compile(r"\S+?(?=[,.;:!?]*(?:\s|$))")
"""A word without the punctuation after it."""

Read = Callable[[str], tuple[Hashable, ...]]
Place = tuple[int, int]


class Constraint(NamedTuple):
    """One wish of a text: where it starts and ends."""

    facet: Literal["price", "size", "color"]
    start: int
    end: int


def constraints_in(text: str, vocabulary: Vocabulary | None) -> list[Constraint]:
    """Find what a text that went through ``plain_text`` asks for, from left to right.

    Without a vocabulary only budgets are found: sizes and colors are those of a catalogue.
    """
    prices = [(start, _after_currency(text, end)) for start, end in _stated(text, _budget)]
    for n_words in (1, 2):
        prices += list(_lone_amounts(_blanked(text, prices), n_words))
    found = [Constraint("price", *place) for place in prices]
    if vocabulary is not None:
        sizes = _stated(text, lambda part: sizes_in(part, vocabulary.sizes))
        found += [Constraint("size", *place) for place in sizes]
        found += [Constraint("color", *place) for place in _colors(text, vocabulary)]
    return sorted(found, key=lambda constraint: constraint.start)


def _budget(text: str) -> tuple[Budget, ...]:
    # Any price makes "cheaper" a wish.
    budget = budget_in(text.lower(), Budget(), cheapest_shown=1.0)
    return (budget,) if budget else ()


def _stated(text: str, read: Read) -> list[Place]:
    """Find the shortest runs of words without which ``read`` makes nothing of the text."""
    found: list[Place] = []
    while len(found) < MAX_STATED and (whole := read(text)):
        place = _shortest(text, read, whole)
        if place is None:
            break
        found.append(place)
        text = _blanked(text, [place])
    return found


def _shortest(text: str, read: Read, whole: tuple[Hashable, ...]) -> Place | None:
    words = [match.span() for match in WORD.finditer(text)]
    for frame in (FILLER, "{}"):
        for meanings in ({whole}, {(one,) for one in whole}):
            for first in reversed(range(len(words))):
                ends = [end for _, end in words[first : first + MAX_WORDS]]
                start = words[first][0]
                if read(frame.format(text[start : ends[-1]])) not in meanings:
                    continue
                shortest = (end for end in ends if read(frame.format(text[start:end])) in meanings)
                return start, next(shortest)
    return None


def _after_currency(text: str, end: int) -> int:
    """Return where the amount that ends there is over: "over 30" goes on with "bucks"."""
    named = re.compile(rf"\s*{NAME}", re.IGNORECASE).match(text, end)
    return named.end() if named else end


def _lone_amounts(text: str, n_words: int) -> Iterator[Place]:
    """Find amounts of money that the search passes over in a longer sentence, but people mean: "boots for $50"."""
    words = [match.span() for match in WORD.finditer(text)]
    for (start, _), (_, end) in zip(words, words[n_words - 1 :], strict=False):
        if any(character.isdigit() for character in text[start:end]) and _budget(text[start:end]):
            yield start, end


def _blanked(text: str, places: list[Place]) -> str:
    for start, end in places:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _colors(text: str, vocabulary: Vocabulary) -> Iterator[Place]:
    """Find the colors that are wanted or refused, not those of possessions; "black or brown" is one wish."""
    readings, _ = read_clauses(text, vocabulary)
    judged = {reading.mention.phrase for reading in readings if reading.mention.facet == "colors"}
    words = tokens(text)
    runs: list[tuple[int, int]] = []
    for mention in vocabulary.mentions(words):
        if mention.facet != "colors" or mention.phrase not in judged:
            continue
        between = [token.written for token in words[runs[-1][1] + 1 : mention.first]] if runs else ["no run"]
        if between in ([], *([word] for word in JOINING)):
            runs[-1] = (runs[-1][0], mention.last)
        else:
            runs.append((_negated(words, mention.first), mention.last))
    return ((words[first].start, words[last].end) for first, last in runs)


def _negated(words: list[Token], first: int) -> int:
    """Return where "not red" starts: a refusal that stays behind would refuse the next word."""
    before = english().negating.before
    return first - 1 if first and words[first - 1].written in before else first
