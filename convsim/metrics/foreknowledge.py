"""Metrics of foreknowledge: whether the user says what the agent shows or says only later."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from convsim.metrics.language import needs_list
from convsim.schema import Columns, Metric
from convsim.schema.columns import ratio
from convsim.schema.conversation import Conversation
from convsim.text.titles import Title, padded, title_words
from convsim.text.words import words

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray, IntArray

MAX_SHOWN = 100
"""Titles of a conversation that are looked for, and user messages in which they are."""
MAX_TITLE = 20
"""Words of a title that are looked for."""
MAX_SAID = 500
"""Words of a message that are looked at."""


class _Foreknown:
    """What of the titles that an agent shows the user had said before: of one conversation."""

    def __init__(self, stop_words: frozenset[str]) -> None:
        self._stop_words = stop_words
        self._said: list[tuple[str, int]] = []
        """Each user message, and how many of the agent's came before it."""
        self._heard: list[str] = []
        self._spoken: set[str] = set()
        self._shown: dict[Title, int] = {}
        """In which of the agent's messages each title stood first."""

    def of(self, conversation: Conversation) -> float:
        """Return the largest part of a title; NaN where no title is new after a message of the user's."""
        parts: list[float] = []
        if not any(message.items for message in conversation.messages):
            return nan
        for message in conversation.messages:
            if message.role == "user" and len(self._said) < MAX_SHOWN:
                said = words(message.content)[:MAX_SAID]
                self._said.append((padded(said), len(self._heard)))
                self._spoken.update(said)
            elif message.role == "assistant":
                titles = {title_words(item.title)[:MAX_TITLE] for item in message.items[:MAX_SHOWN]} - {()}
                new = sorted(titles - self._shown.keys())[: MAX_SHOWN - len(self._shown)]
                parts += [self._part(title) for title in new if self._said]
                self._shown |= dict.fromkeys(new, len(self._heard))
                self._heard.append(message.content)
        return max(parts, default=nan)

    def _part(self, title: Title) -> float:
        """Return which part of a title is the longest row of its words that the user said and had not heard."""
        for length in range(len(title), 0, -1):
            for start in range(len(title) - length + 1):
                row = title[start : start + length]
                if self._spoken.issuperset(row) and not self._stop_words.issuperset(row):
                    sought = padded(row)
                    if any(sought in text and not self._has_heard(sought, n) for text, n in self._said):
                        return length / len(title)
        return 0.0

    def _has_heard(self, sought: str, n: int) -> bool:
        """Tell whether one of the agent's first ``n`` messages said or showed it."""
        if any(sought in padded(title) for title, at in self._shown.items() if at < n):
            return True
        longest = max(sought.split(), key=len)
        said = (text for text in self._heard[:n] if longest in text.lower())
        return any(sought in padded(words(text)[:MAX_SAID]) for text in said)


def _measure_foreknown(columns: Columns) -> FloatArray:
    import numpy as np

    stop_words = columns.lexicon.entries("stop_words", columns.language.of_lists) or frozenset()
    return np.fromiter((_Foreknown(stop_words).of(c) for c in columns.conversations), np.float64, columns.n)


FOREKNOWN_TITLE = Metric(
    name="foreknown_title",
    unit="proportion of a title",
    level="conversation",
    description=(
        "The largest part of the title of an item, which the agent shows only later in the conversation, that the user "
        "says before the agent has said it: words in a row, stop words alone aside. 0 where the user says nothing of "
        "any title; undefined where no item is shown after a message of the user's. People do so too: they ask for "
        "kinds and brands that they know."
    ),
    source=(
        "convsim; after Zhu et al. (2024), How reliable is your simulator?, arXiv 2403.16416, on users who name the "
        "item that they are to find."
    ),
    measure=_measure_foreknown,
    undefined_for=needs_list("stop_words"),
    moved_by_agent="another agent shows other items",
    judged_by="disclosure",
)


def _measure_foreknown_words(columns: Columns) -> FloatArray:
    import numpy as np

    answered = _answered_before(columns)[columns.told.row]
    owners = columns.user_of[columns.told.row]
    end = np.bincount(columns.agent_of, minlength=columns.n).cumsum()[owners]
    judged = (answered >= 0) & (answered < end)
    later = judged & (columns.told.taken_up >= answered)
    n_judged, n_later = (np.bincount(owners[rows], minlength=columns.n) for rows in (judged, later))
    return ratio(n_later.astype(np.float64), n_judged)


def _answered_before(columns: Columns) -> IntArray:
    """Return, for each user message, the first agent message after the one that answers its turn, -1 without one.

    That is where what the agent has said since ends when the user's next turn begins.
    """
    import numpy as np

    owners, turns, heard = columns.user_of.tolist(), columns.user_turns.tolist(), columns.heard.tolist()
    after = [-1] * len(owners)
    for row in range(len(after) - 2, -1, -1):
        if owners[row] == owners[row + 1]:
            after[row] = after[row + 1] if turns[row] == turns[row + 1] else heard[row + 1][1]
    return np.asarray(after, np.int64)


FOREKNOWN_WORDS = Metric(
    name="foreknown_words",
    unit="proportion of new words",
    level="conversation",
    description=(
        "Proportion of the words that the user brings into the conversation (as for told_first) that the agent does "
        "not take up in its answer and comes to later. Undefined where the user brings in none before the agent's last "
        "answer."
    ),
    source="convsim: foreknown_title, where no items are recorded.",
    measure=_measure_foreknown_words,
    undefined_for=needs_list("stop_words"),
    moved_by_agent="another agent takes up other words",
    judged_by="disclosure",
)
