"""Which sizes a message names: "size 8.5", "in a medium", "usually an XL", "medium-sized"."""

from __future__ import annotations

import re
from functools import lru_cache

from convsim.text.english import english


def sizes_in(text: str, known: frozenset[str]) -> tuple[str, ...]:
    """Return the sizes that a message names, in lower case, in order.

    ``known`` are the catalogue's, as ``one_spelling`` makes them. After the word "size" any number counts,
    since a size that nobody stocks is a wish all the same; elsewhere only a known one does, and a single
    letter only as a capital.
    """
    if not known:
        return ()
    after_size, elsewhere, one = _patterns(known)
    found: list[str] = []
    for match in after_size.finditer(text):
        parts = [one_spelling(part) for part in one.findall(match["sizes"])]
        found += [size for size in parts if size in known or size[0].isdigit()]
    for match in elsewhere.finditer(text):
        clear = (
            part for part in one.findall(match["sizes"]) if len(part) > 1 or part.isdigit() or part.isupper()
        )
        found += [size for part in clear if (size := one_spelling(part)) in known]
    return tuple(dict.fromkeys(found))


def one_spelling(size: str) -> str:
    """Return a size in lower case and in one spelling: "Medium" and "M" are both "m"."""
    size = " ".join(size.lower().split())
    return english().sizes.names.get(size, size)


@lru_cache(maxsize=8)
def _patterns(known: frozenset[str]) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of sizes after the word "size", of sizes elsewhere, and of one size."""
    names = english().sizes.names
    worded = _either({*names, *(size for size in known if not size[0].isdigit() or not size[-1].isdigit())})
    only_sizes = _either({*names, *known} & set(english().sizes.unmistakable))
    one = rf"(?:(?i:{worded})(?![\w'])|\d{{1,3}}(?:\.5)?(?![\w.]*\w))"
    several = rf"{one}(?:\s*(?:/|\bor\b|\band\b)\s*{one})*"
    before = "|".join(english().sizes.before)
    counted = "|".join((*english().sizes.counted, *english().money.units))
    after_size = rf"(?i:\b(?:sizes?|sized|sz)\b[\s:=-]*(?:(?:is|of|an?|in)\s+)?)(?P<sizes>{several})"
    elsewhere = (
        rf"(?:(?i:\b(?:{before})\s+)|^\W*(?={several}\W*$)"
        rf"|(?<![\w'-])(?=(?i:{worded})[ -]sized?\b|(?i:{only_sizes})\b))"
        rf"(?P<sizes>{several})(?!\s*-?\s*(?i:{counted}))"
    )
    return re.compile(after_size), re.compile(elsewhere), re.compile(one)


def _either(words: set[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))) or "(?!)"
