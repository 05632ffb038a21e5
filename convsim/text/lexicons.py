"""Word lists and phrases, as plain files of a language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

from pydantic import TypeAdapter

from convsim._files import read_toml


def read_lexicon(name: str) -> frozenset[str]:
    """Return the entries of ``lexicon/<name>.txt``: one a line, lines that start with ``# `` left out."""
    lines = _file(f"{name}.txt").read_text(encoding="utf-8").split("\n")
    return frozenset(line for line in lines if line and not line.startswith("# "))


def read_character_class(name: str) -> re.Pattern[str]:
    """Return a pattern that matches any one character listed in ``lexicon/<name>.txt``."""
    return re.compile(f"[{re.escape(''.join(sorted(read_lexicon(name))))}]")


def read_phrase_lists(name: str) -> dict[str, list[str]]:
    """Return the lists of ``lexicon/<name>.toml``, by their names."""
    return TypeAdapter(dict[str, list[str]]).validate_python(read_toml(_file(f"{name}.toml")))


def read_replacements(name: str) -> dict[str, str]:
    """Return what ``lexicon/<name>.toml`` reads each word as."""
    return TypeAdapter(dict[str, str]).validate_python(read_toml(_file(f"{name}.toml")))


def _file(name: str) -> Traversable:
    return files("convsim.text").joinpath("lexicon", "en", name)


SPELLINGS = read_replacements("spellings")
START, END, ANY_ENDING = "^", "$", "*"
GAP = " ; "
"""Stands where ordinary talk was taken out; no word reads so, so that no phrase reaches across it."""


def read_plainly(words: Sequence[str]) -> list[str]:
    """Return words with apostrophes dropped, hyphens parted and short forms written out (lexicon/spellings.toml)."""
    parts = " ".join(words).replace("'", "").replace("-", " ").split(" ")
    return " ".join([SPELLINGS.get(part, part) for part in parts]).split()


class Phrases:
    """Phrases to look for, of words as ``read_plainly`` leaves them.

    ``^`` and ``$`` as words of their own stand for the start and the end of the message, a star at the end of a phrase
    for any ending of its last word.

    ``ordinary`` phrases are taken out of a message first: what else they seem to say does not count.
    """

    def __init__(self, phrases: Iterable[str], *, ordinary: Iterable[str] = ()) -> None:
        self._by_word: dict[str, list[str]] = {}
        for phrase in phrases:
            self._by_word.setdefault(_rarest_word(phrase), []).append(_needle(phrase))
        self._ordinary = [_needle(phrase) for phrase in sorted(ordinary, key=_longest_first)]

    def in_words(self, words: Sequence[str]) -> bool:
        """Tell whether a message of ``words`` holds one of the phrases."""
        plain = read_plainly(words)
        telling = self._by_word.keys() & plain
        if not telling:
            return False
        text = f" {START} {' '.join(plain)} {END} "
        needles = [needle for word in telling for needle in self._by_word[word] if needle in text]
        if not needles:
            return False
        for ordinary in self._ordinary:
            text = text.replace(ordinary, GAP)
        return any(needle in text for needle in needles)


def _rarest_word(phrase: str) -> str:
    """Return the longest whole word, by which few messages have to be searched for the phrase."""
    return max((word for word in phrase.split() if not word.endswith(ANY_ENDING)), key=len)


def _needle(phrase: str) -> str:
    return f" {phrase.removesuffix(ANY_ENDING)}" if phrase.endswith(ANY_ENDING) else f" {phrase} "


def _longest_first(phrase: str) -> tuple[int, str]:
    return -len(phrase), phrase
