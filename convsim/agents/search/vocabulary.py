"""The words that a catalogue itself uses for its kinds, categories, colors, materials and occasions."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from convsim.agents.search.preferences import Facet, Phrase
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.text.constraints import one_spelling
from convsim.text.english import english
from convsim.text.folding import Token, words_of

ATTRIBUTES: tuple[Facet, ...] = ("category", "colors", "material", "occasion", "brand")
PARTS = re.compile(r"\s*(?:/|&|,|\band\b)\s*")
HEAD_SHARE = 0.5


class Mention(NamedTuple):
    """Where a text names a value of a facet: its words, and its first and last token."""

    facet: Facet
    phrase: Phrase
    first: int
    last: int


def values_of(item: CatalogueItem, facet: Facet) -> tuple[str, ...]:
    """Return an item's values of one facet, none where it has none."""
    if facet in ("colors", "sizes"):
        return item.list_of(facet)
    value = item.text_of(facet)
    return (value,) if value else ()


@dataclass(frozen=True)
class Vocabulary:
    """The phrases that a catalogue's values are known by; ``homes`` has the categories of each kind."""

    facets: dict[Phrase, tuple[Facet, ...]]
    sizes: frozenset[str]
    homes: dict[Phrase, frozenset[Phrase]]
    longest: int

    @classmethod
    def of(cls, catalogue: Catalogue) -> Vocabulary:
        """Collect the phrases of a catalogue."""
        found: dict[Phrase, list[Facet]] = defaultdict(list)
        for facet in ATTRIBUTES:
            values = {value for item in catalogue.items for value in values_of(item, facet)}
            for phrase in sorted({phrase for value in values for phrase in _names(facet, value)}):
                found[phrase].append(facet)
        for name, category in english().categories.items():
            if "category" in found.get((category,), ()) and not found.get((name,)):
                found[(name,)].append("category")
        homes = {phrase: homes for phrase, homes in _kinds(catalogue).items() if phrase not in found}
        for phrase in homes:
            found[phrase].append("kind")
        sizes = {one_spelling(size) for item in catalogue.items for size in item.list_of("sizes")}
        longest = max(map(len, found), default=0)
        return cls(
            {phrase: tuple(facets) for phrase, facets in found.items()}, frozenset(sizes), homes, longest
        )

    def mentions(self, said: Sequence[Token]) -> Iterator[Mention]:
        """Yield the values that ``said`` names, the longest phrase at each place, from left to right."""
        at = 0
        while at < len(said):
            for length in range(min(self.longest, len(said) - at), 0, -1):
                phrase = tuple(token.word for token in said[at : at + length])
                if phrase in self.facets:
                    for facet in self.facets[phrase]:
                        yield Mention(facet, _resolved(facet, phrase), at, at + length - 1)
                    break
            else:
                length = 1
            at += length


def _resolved(facet: Facet, phrase: Phrase) -> Phrase:
    category = english().categories.get(phrase[0]) if facet == "category" and len(phrase) == 1 else None
    return (category,) if category else phrase


def _names(facet: Facet, value: str) -> Iterator[Phrase]:
    """Yield what a value is known by: its words, and the last words of each part joined by "and".

    A hyphen joins no parts: "cotton-linen" is cotton where something else is, but nothing is called "full" for its
    "full-grain leather".
    """
    whole = _stripped(words_of(value))
    if whole and not (len(whole) == 1 and whole[0] in english().vague):
        yield whole
    if facet == "brand":
        return
    for part in (value, *PARTS.split(value)):
        words = _stripped(words_of(part))
        for start in range(len(words)):
            phrase = words[start:]
            if len(phrase) > 1 or phrase[0] not in english().vague | english().ignored:
                yield phrase


def _stripped(words: tuple[str, ...]) -> tuple[str, ...]:
    return words[1:] if words[:1] == ("the",) else words


def _kinds(catalogue: Catalogue) -> dict[Phrase, frozenset[Phrase]]:
    """Return the nouns of the titles, with the categories they stand in.

    A noun is the last word of a title's first part ("… trail boots, men's"), if the titles that have the word
    at all have it there at least half of the time; so "zip" does not become a kind by one odd title.
    """
    heads: Counter[str] = Counter()
    titles: Counter[str] = Counter()
    homes: dict[str, set[Phrase]] = defaultdict(set)
    for item in catalogue.items:
        titles.update(set(words_of(item.title)))
        first_part = words_of(item.title.split(",")[0])
        if first_part and not first_part[-1].isdigit() and first_part[-1] not in english().ignored:
            heads[first_part[-1]] += 1
            homes[first_part[-1]].add(_stripped(words_of(item.text_of("category"))))
    return {(head,): frozenset(homes[head]) for head, n in heads.items() if n >= HEAD_SHARE * titles[head]}
