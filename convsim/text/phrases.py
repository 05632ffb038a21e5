"""Words and phrases that are looked for in a message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from convsim.text.folding import typed
from convsim.text.segment import UNSPACED


class Finds(Protocol):
    """What is looked for in a message."""

    def __call__(self, text: str, words: Sequence[str]) -> bool:
        """Tell whether a message holds it.

        Args:
            text: The message as it was written.
            words: Its words, as ``convsim.text.words.words`` gives them.
        """
        ...


START, END, ANY_ENDING = "^", "$", "*"
GAP = " ; "
"""Stands where ordinary talk was taken out; no word reads so, so that no phrase reaches across it."""


class WordList:
    """Words and phrases of one language, in lower case, as ``words`` gives them.

    ``^`` and ``$`` as words of their own stand for the start and the end of the message, a star at the end of an entry
    for any ending of its last word. What is written without spaces is looked for anywhere in the text, whatever its
    words are. ``ordinary`` talk is taken out of a message first: what else it seems to say does not count.
    """

    def __init__(self, entries: Iterable[str], *, ordinary: Iterable[str] = ()) -> None:
        spaced, self._written = _apart(entries)
        phrases = {entry for entry in spaced if " " in entry or entry.endswith(ANY_ENDING)}
        self._words = spaced - phrases
        self._phrases = _any_of(map(_pattern, phrases))
        ordinary_spaced, self._ordinary_written = _apart(ordinary)
        self._ordinary = _any_of(map(_pattern, ordinary_spaced))

    def __call__(self, text: str, words: Sequence[str]) -> bool:
        """Tell whether a message holds an entry."""
        if self._ordinary:
            words = self._ordinary.sub(GAP, _between(words)).split()
        if not self._words.isdisjoint(words):
            return True
        if self._phrases and self._phrases.search(_between(words)):
            return True
        if self._written is None:
            return False
        lower = text.lower()
        if self._ordinary_written:
            lower = self._ordinary_written.sub(GAP, lower)
        return self._written.search(lower) is not None


def _apart(entries: Iterable[str]) -> tuple[frozenset[str], re.Pattern[str] | None]:
    """Part entries into those of words with spaces between, and a pattern of the others."""
    plain = frozenset(typed(entry).lower() for entry in entries)
    spaced = frozenset(entry for entry in plain if not UNSPACED.search(entry))
    return spaced, _any_of(map(re.escape, plain - spaced))


def _any_of(patterns: Iterable[str]) -> re.Pattern[str] | None:
    ordered = sorted(patterns, key=_longest_first)
    return re.compile("|".join(ordered)) if ordered else None


def _pattern(entry: str) -> str:
    """Return the pattern of an entry of whole words, in words with one space around each."""
    return f"(?<= ){re.escape(entry.removesuffix(ANY_ENDING))}" + (
        "" if entry.endswith(ANY_ENDING) else "(?= )"
    )


def _between(words: Sequence[str]) -> str:
    return f" {START} {' '.join(words)} {END} "


class Phrases:
    """English phrases, of words as ``read_plainly`` leaves them; written like the entries of a ``WordList``.

    ``ordinary`` phrases are taken out of a message first: what else they seem to say does not count.
    """

    def __init__(
        self, phrases: Iterable[str], *, ordinary: Iterable[str] = (), spellings: Mapping[str, str]
    ) -> None:
        self._spellings = spellings
        self._by_word: dict[str, list[str]] = {}
        for phrase in phrases:
            self._by_word.setdefault(_rarest_word(phrase), []).append(_needle(phrase))
        self._ordinary = [_needle(phrase) for phrase in sorted(ordinary, key=_longest_first)]

    def __call__(self, text: str, words: Sequence[str]) -> bool:
        """Tell whether a message holds one of the phrases."""
        return self.in_words(words)

    def in_words(self, words: Sequence[str]) -> bool:
        """Tell whether a message of ``words`` holds one of the phrases."""
        plain = read_plainly(words, self._spellings)
        telling = self._by_word.keys() & plain
        if not telling:
            return False
        text = _between(plain)
        needles = [needle for word in telling for needle in self._by_word[word] if needle in text]
        if not needles:
            return False
        for ordinary in self._ordinary:
            text = text.replace(ordinary, GAP)
        return any(needle in text for needle in needles)


def read_plainly(words: Sequence[str], spellings: Mapping[str, str]) -> list[str]:
    """Return words with apostrophes dropped, hyphens parted and short forms written out (lexicon/en/spellings.toml)."""
    parts = " ".join(words).replace("'", "").replace("-", " ").split(" ")
    return " ".join([spellings.get(part, part) for part in parts]).split()


def _rarest_word(phrase: str) -> str:
    """Return the longest whole word, by which few messages have to be searched for the phrase."""
    return max((word for word in phrase.split() if not word.endswith(ANY_ENDING)), key=len)


def _needle(phrase: str) -> str:
    return f" {phrase.removesuffix(ANY_ENDING)}" if phrase.endswith(ANY_ENDING) else f" {phrase} "


def _longest_first(phrase: str) -> tuple[int, str]:
    return -len(phrase), phrase
