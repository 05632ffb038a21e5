"""How a message is typed: whether it begins with a small letter, and whether its last sentence ends with a mark."""

from __future__ import annotations

import re
from math import nan

from convsim.text.lexicons import read_character_class
from convsim.text.words import WORD

NO_WORD = re.compile(r"\W*")
FINAL_PUNCTUATION = read_character_class("final_punctuation")


def starts_in_lower_case(text: str) -> float:
    """Return 1 where the first word starts with a small letter, 0 where with a capital, NaN where neither is told."""
    word = WORD.search(text)
    if word is None:
        return nan
    # Titlecase, not islower(): Georgian letters are lower case, yet no sentence starts with another form.
    first = word[0][0]
    if first != first.title():
        return 1.0
    return 0.0 if first != first.lower() else nan


def ends_without_mark(text: str) -> float:
    """Return 1 where no sentence-ending mark follows the last word, 0 where one does, NaN without a word."""
    # Backwards, because a search for what precedes the end starts anew at each place of a long message.
    tail = NO_WORD.match(text[::-1])
    if tail is None or tail.end() == len(text):
        return nan
    return float(FINAL_PUNCTUATION.search(tail[0]) is None)
