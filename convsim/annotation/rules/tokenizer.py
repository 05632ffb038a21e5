"""Cuts a message into sentences of plain words, however carelessly it was typed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import NamedTuple

MAX_CHARACTERS = 4_000
"""How much of one message is read; what a shopper means is said by then, and a label takes bounded time."""

BREAK = ","
"""Stands between two clauses of a sentence; no phrase goes across it, and no negation."""

TOKEN = re.compile(
    r"(?P<link>https?://\S+|www\.\S+)"
    r"|(?P<face>[:;=]'?-?[()d/x*](?![a-z])|<3)"
    r"|(?P<amount>[$€£]\s?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*\s?[$€£])"
    r"|(?P<number>\d+(?:[.,]\d+)*)"
    r"|(?P<word>[^\W_]+)"
    r"|(?P<end>[.!?…？！。\n]+)"
    r"|(?P<clause>[,;:()–—]|\s-\s)"
    r"|(?P<symbol>[\u2600-\u27bf\U0001f300-\U0001faff])"
)
DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
APOSTROPHES = str.maketrans("", "", "'’‘`´")
CAPITALS = 8
"""So many capitals and no small letter is shouting; fewer may be an abbreviation."""


class Sentence(NamedTuple):
    """The words of a sentence in lower case without apostrophes, numbers and symbols among them, and how it ends."""

    words: tuple[str, ...]
    asked: bool
    exclaimed: bool


class Spelling(NamedTuple):
    """How careless words are read: the ``known`` words, and what stands for what."""

    known: Set[str]
    meant: Mapping[str, tuple[str, ...]]

    def read(self, word: str) -> tuple[str, ...]:
        """Return what is meant by a word: "thx" is thanks, "sooo" is so."""
        if word not in self.known and DRAWN_OUT.search(word):
            doubled = DRAWN_OUT.sub(r"\1\1", word)
            word = doubled if doubled in self.known else DRAWN_OUT.sub(r"\1", word)
        return self.meant.get(word, (word,))


def sentences(text: str, spelling: Spelling) -> list[Sentence]:
    """Cut the first 4,000 characters of ``text`` into sentences; those without any word are left out."""
    found: list[Sentence] = []
    words: list[str] = []
    for match in TOKEN.finditer(text[:MAX_CHARACTERS].lower().translate(APOSTROPHES)):
        kind, token = match.lastgroup, match.group()
        if kind == "word":
            words.extend(spelling.read(token))
        elif kind == "end":
            if words:
                found.append(
                    Sentence(tuple(words), "?" in token or "？" in token, "!" in token or "！" in token)
                )
                words = []
        elif kind == "clause":
            words.append(BREAK)
        elif kind == "amount":
            words.append("$" + token.strip("$€£ "))
        else:
            words.append("http" if kind == "link" else token)
    if words:
        found.append(Sentence(tuple(words), False, False))
    return found


def is_shouted(text: str) -> bool:
    """Whether a message is in capitals throughout."""
    read = text[:MAX_CHARACTERS]
    return read == read.upper() and sum(character.isupper() for character in read) >= CAPITALS


def is_number(word: str) -> bool:
    """Whether a word is a number, an amount or a size such as 16gb."""
    return word[0].isdigit() or word[0] == "$"
