"""Metrics of style: how the user types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from math import nan
from typing import TYPE_CHECKING

from convsim.metrics.language import needs_case, needs_final_marks, needs_words
from convsim.metrics.proportions import proportion_by_text, proportion_with_entry
from convsim.schema import Columns, Metric
from convsim.schema.columns import ratio
from convsim.text.lexicons import read_character_class
from convsim.text.typing_habits import ends_without_mark, starts_in_lower_case
from convsim.text.words import MARK

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

USER_QUESTIONS = proportion_by_text(
    "user_questions",
    read_character_class("question_marks").search,
    description=(
        "Proportion of the user's non-empty messages with a question mark of any script; questions without one "
        "are an annotator's business."
    ),
    source="convsim: a surface cue of asking.",
)


USER_LOWERCASE_START = Metric(
    name="user_lowercase_start",
    unit="proportion of messages",
    level="turn",
    description=(
        "Proportion of the user's messages whose first word starts with a small letter, among those where it "
        "starts with a letter that has a capital: no word, a digit first, or a script without case leave a "
        "message out. Undefined where most letters are of such a script."
    ),
    source="convsim: a typing habit of chats.",
    measure=lambda columns: columns.mean_over_user(map(starts_in_lower_case, columns.user_texts)),
    undefined_for=needs_case,
)


USER_NO_FINAL_PUNCTUATION = Metric(
    name="user_no_final_punctuation",
    unit="proportion of messages",
    level="turn",
    description=(
        "Proportion of the user's messages without a sentence-ending mark of any script, or an ellipsis, after "
        "the last word, among those with a word; quotes, brackets and emoji around the mark do not matter. "
        "Undefined in Thai and Lao, which have none."
    ),
    source="Ling and Baron (2007), Text messaging and IM, Journal of Language and Social Psychology 26(3).",
    measure=lambda columns: columns.mean_over_user(map(ends_without_mark, columns.user_texts)),
    undefined_for=needs_final_marks,
)


USER_FIRST_PERSON = proportion_with_entry(
    "user_first_person",
    "first_person",
    description=(
        "Proportion of the user's non-empty messages with a first-person pronoun of their language "
        "(lexicon/<language>/first_person.txt); undefined in languages without a list."
    ),
    source=(
        "Pennebaker, Mehl and Niederhoffer (2003), Psychological aspects of natural language use, Annual "
        "Review of Psychology 54; the word lists are ours."
    ),
)


USER_DIGITS = proportion_by_text(
    "user_digits",
    re.compile(r"\d").search,
    description="Proportion of the user's non-empty messages with a decimal digit of any script: sizes, prices.",
    source="convsim: a surface cue of stated constraints.",
)


USER_EMPTY = Metric(
    name="user_empty",
    unit="proportion of messages",
    level="turn",
    description="Proportion of the user's messages that are nothing but white space; undefined without any.",
    source="convsim: a count that the other proportions leave out.",
    measure=lambda columns: columns.mean_over_user(columns.user_is_empty),
)


def _characters(words: Sequence[str]) -> int:
    text = "".join(words)
    return len(text if text.isascii() else MARK.sub("", text))


def _measure_user_characters_per_word(columns: Columns) -> FloatArray:
    characters = columns.sum_over_user(map(_characters, columns.user_words))
    return ratio(characters, columns.sum_over_user(columns.user_word_counts))


USER_CHARACTERS_PER_WORD = Metric(
    name="user_characters_per_word",
    unit="characters",
    level="conversation",
    description=(
        "Mean length of the user's words: their characters, apostrophes and hyphens inside a word included, "
        "combining marks not; undefined without a user word."
    ),
    source="Mendenhall (1887), The characteristic curves of composition, Science 9; here the mean alone.",
    measure=_measure_user_characters_per_word,
    undefined_for=needs_words,
)


WINDOW = 10
"""User words a window.

Covington and McFall use hundreds, for prose. Shoppers write 20 to 60 words a chat, and a window must fit in
the short chats too, or the metric would speak of long chats alone: in four public sets of people's chats with
shops and recommenders, 10 words leave 0 to 19 % of the conversations undefined, 20 words up to 45 %. Narrower
windows would hold no repetition in more and more chats, and tell nothing of them.
"""


def moving_average_type_token_ratio(words: Sequence[str], window: int) -> float:
    """Mean proportion of different words in each run of ``window`` words; NaN for fewer words.

    Each word is counted, in one pass, in the windows in which it stands first of its kind.
    """
    starts = len(words) - window + 1
    if starts < 1:
        return nan
    types = 0
    last: dict[str, int] = {}
    for place, word in enumerate(words):
        # Comparisons, not max() and min(): two calls a word are half of what this takes.
        after = last.get(word, -1) + 1
        earliest = place - window + 1
        if after > earliest:
            earliest = after
        end = place + 1 if place < starts else starts
        if end > earliest:
            types += end - earliest
        last[word] = place
    return types / (starts * window)


def _measure_user_mattr(columns: Columns) -> FloatArray:
    import numpy as np

    conversations = columns.by_conversation(columns.user_words)
    ratios = (
        moving_average_type_token_ratio(list(chain.from_iterable(words)), WINDOW) for words in conversations
    )
    return np.fromiter(ratios, np.float64, columns.n)


USER_MATTR = Metric(
    name="user_mattr",
    unit="different words per word",
    level="conversation",
    description=(
        f"Moving-average type-token ratio over windows of {WINDOW} words of the user's messages, joined and "
        f"in lower case; undefined with fewer than {WINDOW} words."
    ),
    source=(
        "Covington and McFall (2010), Cutting the Gordian knot: the moving-average type-token ratio (MATTR), "
        "Journal of Quantitative Linguistics 17(2); with a window for short chats."
    ),
    measure=_measure_user_mattr,
    undefined_for=needs_words,
)
