"""What users tell of their own accord: the words of each message that nobody had said before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convsim.text.small_talk import languages_of, stated_words

if TYPE_CHECKING:
    from convsim.schema.arrays import IntArray
    from convsim.schema.columns import Columns


class Told(NamedTuple):
    """Words that users tell, one entry a word of a message."""

    row: IntArray
    """Index into ``user_texts`` of the message that tells it."""
    taken_up: IntArray
    """Index into ``agent_texts`` of the first message that says it afterwards, -1 without one."""


def stated_by_user(columns: Columns) -> list[frozenset[str]]:
    """Return the different words of each user message that are neither small talk nor stop words."""
    languages = languages_of(columns.language)
    known: dict[str, str] = {}
    return [
        frozenset(known.setdefault(word, word) for word in stated_words(text, languages))
        for text in columns.user_texts
    ]


def turns_of_user(columns: Columns) -> IntArray:
    """Return in which of its conversation's turns each user message stands, from 0; messages in a row are one turn."""
    import numpy as np

    opens = columns.heard[:, 0] < columns.heard[:, 1]
    has = columns.first_of >= 0
    opens[columns.first_of[has]] = True
    number = np.cumsum(opens)
    before = np.zeros(columns.n, np.int64)
    before[has] = number[columns.first_of[has]]
    return np.asarray(number - before[columns.user_of], np.int64)


def told_by_user(columns: Columns) -> Told:
    """Return the stated words of the user's messages that neither side had said before in the conversation."""
    import numpy as np

    exchanged = columns.exchanged
    rows = np.repeat(np.arange(len(columns.user_texts)), np.diff(exchanged.told.indptr))
    pairs = zip(rows.tolist(), exchanged.told.indices.tolist(), strict=True)
    states = [exchanged.words[word] in columns.user_stated[row] for row, word in pairs]
    return Told(rows[states], exchanged.taken_up[states])
