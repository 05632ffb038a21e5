"""Metric: how often the user leaves a message without a final mark."""

from __future__ import annotations

import re
from math import nan
from typing import TYPE_CHECKING

from convsim.schema import Columns, Metric
from convsim.text.lexicons import read_character_class

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray

NO_WORD = re.compile(r"\W*")
FINAL_PUNCTUATION = read_character_class("final_punctuation")


def _ends_without_mark(text: str) -> float:
    # Backwards, because a search for what precedes the end starts anew at each place of a long message.
    tail = NO_WORD.match(text[::-1])
    if tail is None or tail.end() == len(text):
        return nan
    return float(FINAL_PUNCTUATION.search(tail[0]) is None)


def _measure(columns: Columns) -> FloatArray:
    return columns.mean_over_user(map(_ends_without_mark, columns.user_texts))


USER_NO_FINAL_PUNCTUATION = Metric(
    name="user_no_final_punctuation",
    unit="share of messages",
    level="turn",
    description=(
        "Share of the user's messages without a sentence-ending mark of any script, or an ellipsis, after "
        "the last word, among those with a word; quotes, brackets and emoji around the mark do not matter."
    ),
    source="Ling and Baron (2007), Text messaging and IM, Journal of Language and Social Psychology 26(3).",
    measure=_measure,
)
