"""What names of columns and of speakers mean, by the words of many languages in ``words.toml``; only hints."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from convsim._inputs import read_toml

WORDS = Path(__file__).with_name("words.toml")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
NOT_WORD = re.compile(r"[\W_]+")
MAX_CHARACTERS = 100
SHORTEST_PART = 4
"""Letters of a word that may be part of a compound, as in ``Gesprächsnummer``; scripts without cases need two."""


@lru_cache(maxsize=4096)
def words() -> dict[str, Any]:
    """Return the lists, as they stand in the file."""
    return read_toml(WORDS, what="the list of words")


def tokens_of(text: str) -> tuple[str, ...]:
    """Return the words of a name, in lower case, without accents; ``botReply_2`` has three."""
    apart = NOT_WORD.sub(" ", CAMEL.sub(" ", unicodedata.normalize("NFKC", text[:MAX_CHARACTERS])))
    letters = unicodedata.normalize("NFKD", apart.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return tuple(unicodedata.normalize("NFC", plain).split())


@lru_cache(maxsize=4096)
def _phrases(section: str) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    return {meaning: tuple(filter(None, map(tokens_of, said))) for meaning, said in words()[section].items()}


def match(tokens: tuple[str, ...], phrase: tuple[str, ...]) -> float:
    """Return how well a name is a phrase: 1 where it is, less where it has more words or is a compound, 0 if not."""
    if tokens == phrase or "".join(tokens) == "".join(phrase):
        return 1.0
    n = len(phrase)
    if any(tokens[at : at + n] == phrase for at in range(len(tokens) - n + 1)):
        return 0.6 + 0.3 * n / len(tokens)
    part = "".join(phrase)
    if len(part) >= (SHORTEST_PART if part.isascii() else 2) and any(part in token for token in tokens):
        begins = any(token.startswith(part) for token in tokens)
        return (0.5 if begins else 0.3) + 0.2 * len(part) / sum(map(len, tokens))
    return 0.0


@lru_cache(maxsize=4096)
def hints(name: str) -> Mapping[str, float]:
    """Return the meanings that the name of a column can have, each from 0 to 1."""
    return _meanings(tokens_of(name), _phrases("columns"))


@lru_cache(maxsize=4096)
def speakers(value: str) -> Mapping[str, float]:
    """Return the roles that a speaker's name can have, each from 0 to 1."""
    return _meanings(tokens_of(value), _phrases("speakers"))


@lru_cache(maxsize=4096)
def endings(value: str) -> Mapping[str, float]:
    """Return the endings that a value of an outcome can have, each from 0 to 1."""
    return _meanings(tokens_of(value), _phrases("endings"))


def _meanings(
    tokens: tuple[str, ...], phrases: Mapping[str, Iterable[tuple[str, ...]]]
) -> Mapping[str, float]:
    found = {
        meaning: max((match(tokens, one) for one in those), default=0.0) for meaning, those in phrases.items()
    }
    return {meaning: score for meaning, score in found.items() if score}


def truth(value: str) -> bool | None:
    """Tell yes from no, in many languages; None where a value is neither."""
    tokens = tokens_of(value)
    for answer, said in _phrases("truths").items():
        if tokens in said:
            return answer == "yes"
    return None
