"""Text as words that compare: folded to lower case and the singular, with one spelling each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from convsim.text.english import english

WORD = re.compile(r"\d+\.\d+|[^\W_]+(?:'[^\W_]+)*")


class Token(NamedTuple):
    """A word of a text: as it compares, as it was written (lower case), and where it starts and ends."""

    word: str
    written: str
    start: int
    end: int


APOSTROPHES, QUOTES, HYPHENS = "’‘‛ʼʹ′`´＇", "“”„‟″＂", "‐‑‒–−"
UNSEEN = "\u00ad\u200b\u2060\ufeff"
"""A soft hyphen, and what says where a line may break or may not: none is typed."""
TYPED = {
    **dict.fromkeys(map(ord, APOSTROPHES), "'"),
    **dict.fromkeys(map(ord, QUOTES), '"'),
    **dict.fromkeys(map(ord, HYPHENS), "-"),
    **dict.fromkeys(map(ord, UNSEEN), None),
    **dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u200a\u202f"), " "),
    ord("—"): " - ",
    ord("…"): "...",
}
"""How a keyboard has what programs write otherwise; a dash between two parts of a sentence parts words."""


def typed(text: str) -> str:
    """Return ``text`` as a keyboard has it: one kind of apostrophe, quote, dash, ellipsis and blank, and NFC.

    Words are compared so, and nothing else: which of them a file has is the program's that wrote it, not its user's.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text.translate(TYPED))


def plain_text(text: str) -> str:
    """Return ``text`` with one kind of apostrophe, quote and dash, and compatible characters made one."""
    straight = text.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: "-"})
    return unicodedata.normalize("NFKC", straight)


def tokens(text: str) -> list[Token]:
    """Split a text that went through ``plain_text`` into words; two that are one ("t shirt") become one."""
    same = english().same
    found: list[Token] = []
    for match in WORD.finditer(text):
        written = match.group().lower()
        token = Token(fold(written), written, match.start(), match.end())
        before = found[-1] if found else None
        if before and (both := same.get(f"{before.word} {token.word}")):
            found[-1] = Token(both, f"{before.written} {written}", before.start, token.end)
        else:
            found.append(token)
    return found


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """Fold one word in lower case: possessive and plural endings go, known spellings become one."""
    stem = word.removesuffix("'s")
    if stem not in english().unfolded:
        stem = _singular(stem)
    return english().same.get(stem, stem)


@lru_cache(maxsize=8_192)
def words_of(text: str) -> tuple[str, ...]:
    """Return the folded words of any text."""
    return tuple(token.word for token in tokens(plain_text(text)))


def phrase_in(phrase: Sequence[str], words: Sequence[str]) -> bool:
    """Tell whether ``phrase`` stands in ``words``, word by word and in one piece."""
    n = len(phrase)
    return any(tuple(words[i : i + n]) == tuple(phrase) for i in range(len(words) - n + 1))


def _singular(word: str) -> str:
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return word[:-1]
