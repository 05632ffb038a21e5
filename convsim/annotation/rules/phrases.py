"""Finds the phrases of a lexicon in a sentence, the longest at each place, and sees which are negated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from convsim.annotation.rules.tokenizer import BREAK, is_number

ANY = "_"
NUMBER = "#"
EDGE = "^"


class Phrase(NamedTuple):
    """What is named by a phrase, and the words that may stand at each of its places after the first."""

    cue: str
    rest: tuple[frozenset[str], ...]
    opens: bool
    """Whether it must start its clause."""
    closes: bool
    """Whether it must end its clause."""


class Hit(NamedTuple):
    """A cue, with its first and last word."""

    cue: str
    first: int
    last: int


class Grammar(NamedTuple):
    """Words of grammar, and what negates and opens.

    A cue is negated by one of ``negating`` up to ``reach`` words before it, or one of ``adjacent`` right before.
    Words of ``opening`` may stand before the first of a clause. "Any word" means none of ``words``.
    """

    words: frozenset[str]
    negating: frozenset[str]
    adjacent: frozenset[str]
    reach: int
    opening: frozenset[str]


@dataclass(frozen=True)
class Phrases:
    """Phrases by their first word."""

    by_first: Mapping[str, Sequence[Phrase]]
    grammar: Grammar
    negated: Mapping[str, str]
    """What a cue becomes where it is negated; one that is not here is then no cue at all."""
    steady: frozenset[str]
    """Cues that hold, negated or not."""

    @classmethod
    def of(
        cls,
        patterns: Mapping[str, Iterable[str]],
        *,
        grammar: Grammar,
        negated: Mapping[str, str],
        steady: frozenset[str],
    ) -> Phrases:
        """Read the patterns of each cue; ``lexicon/how-to-read.txt`` says how they are written."""
        by_first: dict[str, list[Phrase]] = defaultdict(list)
        for cue, texts in patterns.items():
            for text in texts:
                opens, closes = text.startswith(EDGE), text.endswith(EDGE)
                for first, *rest in _expanded(text.strip(EDGE)):
                    for word in first:
                        by_first[word].append(Phrase(cue, tuple(rest), opens, closes))
        return cls(by_first, grammar, negated, steady)

    @property
    def words(self) -> frozenset[str]:
        """Every word that a phrase holds."""
        rest = {
            word for found in self.by_first.values() for phrase in found for s in phrase.rest for word in s
        }
        return frozenset(rest | self.by_first.keys())

    def hits(self, words: Sequence[str]) -> list[Hit]:
        """Return the cues from left to right; a word belongs to the longest phrase that starts before or at it."""
        found: list[Hit] = []
        at, end = 0, len(words)
        while at < end:
            matching = [phrase for phrase in self._starting(words[at]) if self._matches(phrase, words, at)]
            length = 1 + max((len(phrase.rest) for phrase in matching), default=0)
            found.extend(Hit(p.cue, at, at + length - 1) for p in matching if len(p.rest) == length - 1)
            at += length
        return found

    def cues(self, words: Sequence[str], hits: Sequence[Hit]) -> set[str]:
        """Return the names of the cues that ``hits`` of a sentence are, negated ones turned."""
        taken = {place for hit in hits if hit.last > hit.first for place in range(hit.first, hit.last + 1)}
        cues: set[str] = set()
        for hit in hits:
            if hit.cue in self.steady or not self._is_negated(words, hit.first, taken):
                cues.add(hit.cue)
            elif turned := self.negated.get(hit.cue):
                cues.add(turned)
        return cues

    def _starting(self, word: str) -> Sequence[Phrase]:
        found = self.by_first.get(word, ())
        return (*found, *self.by_first.get(NUMBER, ())) if is_number(word) else found

    def _matches(self, phrase: Phrase, words: Sequence[str], at: int) -> bool:
        after = at + len(phrase.rest) + 1
        if after > len(words) or (phrase.closes and after < len(words) and words[after] != BREAK):
            return False
        if phrase.opens and at and words[at - 1] not in self.grammar.opening:
            return False
        return all(self._fits(words[at + n], slot) for n, slot in enumerate(phrase.rest, start=1))

    def _fits(self, word: str, slot: frozenset[str]) -> bool:
        return (
            word in slot
            or (ANY in slot and word.isalnum() and word not in self.grammar.words)
            or (NUMBER in slot and is_number(word))
        )

    def _is_negated(self, words: Sequence[str], first: int, taken: set[int]) -> bool:
        if not words[first][0].isalnum():
            return False
        if first and words[first - 1] in self.grammar.adjacent and first - 1 not in taken:
            return True
        for place in range(first - 1, max(-1, first - 1 - self.grammar.reach), -1):
            if words[place] == BREAK:
                return False
            if words[place] in self.grammar.negating and place not in taken:
                return True
        return False


def _expanded(text: str) -> Iterable[tuple[frozenset[str], ...]]:
    """Yield a pattern with and without each of its optional words."""
    slots: list[tuple[frozenset[str] | None, ...]] = []
    for slot in text.split():
        optional = len(slot) > 2 and slot[0] == "(" and slot[-1] == ")"
        words = frozenset((slot[1:-1] if optional else slot).split("|"))
        slots.append((words, None) if optional else (words,))
    for chosen in product(*slots):
        yield tuple(words for words in chosen if words is not None)
