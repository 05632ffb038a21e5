"""What format a message has, whatever its words: the formats declared in ``formats.toml``, and their tests."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Literal

import numpy as np
from pydantic import TypeAdapter

from convsim._inputs import read_toml
from convsim.schema.arrays import BoolArray
from convsim.schema.record import Flag, Name, Record, Text

FILE = files("convsim_validators.typography").joinpath("formats.toml")
MAX_CHARACTERS = 4_000
"""Of a message, that are looked at; bounds what a hostile message costs."""
Kind = Literal["file", "prompt"]
Among = Literal["all", "cased", "unasking", "accents", "apostrophe"]

_CLOSING = "\"'”’»)）】」』*_~ \t\r\n\u00a0\u3000"
"""What stands after a message's last mark without being one."""
_ASKING = "?？؟⸮;"
_STOPS = ".。．｡।۔։።"
_EXCLAMATIONS = "!！"
_TWO_LETTERS = re.compile(r"[^\W\d_][\s\S]*?[^\W\d_]")
_APOSTROPHE = re.compile(r"\w['’ʼ´`＇]\w")
_OF_OTHER_FORMATS = re.compile("[\u00a0\u2002-\u200a\u202f\u205f\u3000…\uff01-\uffee]")
"""Compatibility characters that are formats of their own, or how a script's keyboards write."""


class Format(Record):
    """One format of messages, as ``formats.toml`` declares it."""

    name: Name
    kind: Kind
    says: Text
    """What a message with it has."""
    advice: Text
    pattern: Text | None = None
    test: Name | None = None
    among: Among = "all"
    beyond_ascii: Flag = False

    @cached_property
    def has(self) -> Callable[[str], bool]:
        """Tells whether a message has it."""
        if self.test is not None:
            return TESTS[self.test]
        found = re.compile(self.pattern or "", re.MULTILINE).search
        return lambda text: found(text) is not None


@lru_cache(maxsize=1)
def formats() -> tuple[Format, ...]:
    """Read ``formats.toml``."""
    declared = TypeAdapter(dict[str, dict[str, str | bool]]).validate_python(read_toml(FILE))
    return tuple(Format.model_validate({"name": name, **told}) for name, told in declared.items())


def marked(messages: Sequence[str]) -> tuple[BoolArray, BoolArray]:
    """Tell of messages which formats they have, and which they could have.

    Returns:
        Both of shape (messages, formats): ``has``, and ``could``: a message without text could have none.
    """
    known = formats()
    has = np.zeros((len(messages), len(known)), bool)
    could = np.zeros_like(has)
    places = [(column, each, each.has) for column, each in enumerate(known)]
    for row, message in enumerate(messages):
        text = message[:MAX_CHARACTERS]
        if not text.strip():
            continue
        ascii_only = text.isascii()
        within = _within(text, ascii_only=ascii_only)
        for column, each, test in places:
            if within[each.among]:
                could[row, column] = True
                has[row, column] = not (ascii_only and each.beyond_ascii) and test(text)
    return has, could


def _within(text: str, *, ascii_only: bool) -> Mapping[Among, bool]:
    return {
        "all": True,
        "cased": text.lower() != text.upper() and _TWO_LETTERS.search(text) is not None,
        "unasking": _last(text) not in _ASKING,
        "accents": not ascii_only
        and unicodedata.normalize("NFD", text) != unicodedata.normalize("NFC", text),
        "apostrophe": _APOSTROPHE.search(text) is not None,
    }


def _is_cased(character: str) -> bool:
    return character.lower() != character.upper()


def _last(text: str) -> str:
    """Return the last character that is not an emoji, a closing quote or bracket, or white space; else a space."""
    for character in reversed(text):
        if character not in _CLOSING and unicodedata.category(character) not in ("So", "Sk", "Cf", "Mn"):
            return character
    return " "


def _first_cased(text: str) -> str:
    return next((character for character in text if _is_cased(character)), "")


def _decomposed(text: str) -> bool:
    return not unicodedata.is_normalized("NFC", text)


def _compatibility(text: str) -> bool:
    rest = unicodedata.normalize("NFC", _OF_OTHER_FORMATS.sub("", text))
    return not unicodedata.is_normalized("NFKC", rest)


_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
MIN_TITLE_WORDS = 3


def _title_case(text: str) -> bool:
    words = [word for word in _WORD.findall(text) if _is_cased(word[0])]
    return (
        len(words) >= MIN_TITLE_WORDS
        and all(word[0] != word[0].lower() for word in words)
        and any(len(word) > 1 and not word.isupper() for word in words)
    )


TESTS: Mapping[str, Callable[[str], bool]] = {
    "decomposed": _decomposed,
    "compatibility": _compatibility,
    "all_lower": lambda text: text == text.lower(),
    "all_upper": lambda text: text == text.upper() and sum(map(_is_cased, text)) > 2,
    "title_case": _title_case,
    "lower_first": lambda text: (first := _first_cased(text)) != "" and first == first.lower(),
    "ends_in_stop": lambda text: _last(text) in _STOPS,
    "ends_in_exclamation": lambda text: _last(text) in _EXCLAMATIONS,
    "ends_bare": lambda text: _last(text).isalnum(),
}
"""By the name that ``formats.toml`` gives them."""
