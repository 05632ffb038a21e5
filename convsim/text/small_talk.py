"""Whether a message states anything, or only greets, thanks, answers yes or no, or asks for help with nothing yet."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from convsim._inputs import read_toml
from convsim.text.folding import typed
from convsim.text.language import ENGLISH, Language
from convsim.text.lexicons import Lexicon
from convsim.text.segment import UNSPACED
from convsim.text.words import words

MAX_CHARACTERS = 4_000
"""Of a message, that are looked at."""
DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
ANY_WORD = "*"


def states_something(text: str, languages: Collection[str]) -> bool:
    """Tell whether a word is left of a message once small talk (``small_talk.toml``) and stop words are taken out.

    Args:
        text: The message.
        languages: ISO 639 codes of the languages whose stop words say nothing, as ``languages_of`` gives them.
    """
    return any(any(map(str.isalpha, word)) for word in stated_words(text, languages))


def stated_words(text: str, languages: Collection[str]) -> list[str]:
    """Return the words, in lower case, that are left of a message once small talk and stop words are taken out."""
    spaced, written = _patterns()
    said = typed(text[:MAX_CHARACTERS]).lower()
    said = DRAWN_OUT.sub(r"\1", said)
    if UNSPACED.search(said):
        said = written.sub(" ", said)
    rest = spaced.sub(" ", f" {' '.join(words(said))} ").split()
    empty = _stop_words(frozenset(languages))
    return [word for word in rest if word not in empty]


def languages_of(language: Language) -> frozenset[str]:
    """Return the languages whose stop words say nothing on a side: all that it is written in, and English."""
    return frozenset({ENGLISH, language.of_lists, *language.proportions})


@cache
def _stop_words(languages: frozenset[str]) -> frozenset[str]:
    lists = (Lexicon().entries("stop_words", language) or frozenset() for language in languages)
    return frozenset(word for entries in lists for word in entries)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return patterns of all entries: of whole words with one space around each, and of those without spaces."""
    lists = TypeAdapter(dict[str, list[str]]).validate_python(
        read_toml(Path(__file__).with_name("small_talk.toml"))
    )
    entries = {entry for each in lists.values() for entry in each}
    unspaced = {entry for entry in entries if UNSPACED.search(entry)}
    spaced = {
        DRAWN_OUT.sub(r"\1", " ".join(words(entry.replace(ANY_WORD, "x_any_x"))))
        for entry in entries - unspaced
    }
    patterns = {re.escape(entry).replace("x_any_x", r"\S+") for entry in spaced}
    return re.compile(rf"(?<= )(?:{_longest_first(patterns)})(?= )"), re.compile(
        _longest_first(map(re.escape, unspaced))
    )


def _longest_first(patterns: Iterable[str]) -> str:
    return "|".join(sorted(patterns, key=lambda pattern: (-len(pattern), pattern)))
