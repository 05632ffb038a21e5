"""What a message states about money and sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from convsim.text.english import english


@dataclass(frozen=True)
class Budget:
    """The prices that suit, in the catalogue's currency; ``below`` leaves the ceiling itself out."""

    floor: float | None = None
    ceiling: float | None = None
    below: bool = False

    def __bool__(self) -> bool:
        return self.floor is not None or self.ceiling is not None


NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,7}(?:\.\d+)?)(?!\d|[.,]\d|[a-z])"
SIGN = r"[$€£]"
NAME = r"(?:dollars?|bucks?|usd|euros?|eur|pounds?|gbp|quid)\b"


def budget_in(text: str, before: Budget, *, cheapest_shown: float | None) -> Budget:
    """Return the budget after a message in lower case, given the one ``before`` it.

    A later limit replaces an earlier one of its kind, and an earlier one of the other kind that it
    contradicts. "Cheaper" without an amount means below ``cheapest_shown``, the lowest price of the agent's
    last reply.
    """
    said = _stated(text)
    if not said and cheapest_shown is not None and _matches_any(text, english().money.cheaper):
        said = Budget(ceiling=cheapest_shown, below=True)
    if not said:
        return before
    floor = said.floor if said.floor is not None else before.floor
    ceiling, below = (
        (said.ceiling, said.below) if said.ceiling is not None else (before.ceiling, before.below)
    )
    if floor is not None and ceiling is not None and floor > ceiling:
        return said
    return Budget(floor, ceiling, below)


def _stated(text: str) -> Budget:
    money = english().money
    if both := _first(text, money.between, groups=2):
        return Budget(floor=min(both), ceiling=max(both))
    if strict := _first(text, money.below):
        return Budget(ceiling=strict[0], below=True)
    if most := _first(text, money.at_most):
        return Budget(ceiling=most[0])
    if least := _first(text, money.at_least):
        return Budget(floor=least[0])
    if around := _first(text, money.around):
        return Budget(ceiling=around[0] * money.around_factor)
    lone = re.fullmatch(rf"\W*(?:\w+\W+)?{_pattern('MONEY')}(?:\W+\w+)?\W*", text)
    return Budget(ceiling=_number(lone)) if lone else Budget()


def _first(text: str, patterns: tuple[str, ...], *, groups: int = 1) -> tuple[float, ...]:
    """Return the amounts of the last match of the first pattern that matches: what was said last wins."""
    for pattern in patterns:
        matches = list(re.finditer(_pattern(pattern), text))
        if matches:
            amounts = [float(group.replace(",", "")) for group in matches[-1].groups() if group]
            if len(amounts) == groups:
                return tuple(amounts)
    return ()


@cache
def _pattern(pattern: str) -> str:
    """Write out AMOUNT and MONEY; a number that counts days or inches is neither."""
    units = "|".join(english().money.units)
    no_unit = rf"(?!\s*-?\s*(?:{units}))"
    money = rf"(?:{SIGN}\s*{NUMBER}(?:\s*{NAME})?|{NUMBER}\s*(?:{SIGN}|{NAME})){no_unit}"
    amount = rf"(?:{SIGN}\s*)?{NUMBER}(?:\s*(?:{SIGN}|{NAME}))?{no_unit}"
    start = r"(?<![\w.])" if pattern[0].isalnum() or pattern.startswith(("(", "A", "M")) else ""
    return start + pattern.replace("AMOUNT", amount).replace("MONEY", money)


def _number(match: re.Match[str]) -> float:
    return float(next(group for group in match.groups() if group).replace(",", ""))


def _matches_any(text: str, patterns: tuple[str, ...]) -> bool:
    return any(re.search(pattern, text) for pattern in patterns)


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
