"""Which content words the two sides of a conversation say, and in answer to which."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

from convsim.text.words import words

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_matrix

    from convsim.schema.arrays import FloatArray, IntArray
    from convsim.schema.columns import Columns

MAX_WORDS = 2_000
"""Of a message, from its beginning; bounds what a hostile message costs."""
COMMON = 0.05
"""Added to the proportion of conversations that hold a word before it becomes a weight: what fewer hold weighs hardly
more, so that weights are the same on average for few conversations and for many."""
UNSEEN = 5
"""Conversations without the word that are added to those counted: one conversation tells nothing of what is common."""


@dataclass(frozen=True)
class Exchanged:
    """Which content words stand in each message, stop words out."""

    user: csr_matrix
    """Shape (user messages, words): 1 where a message has the word."""
    heard: csr_matrix
    """Shape (user messages, words): 1 where the agent has said the word since the user last spoke."""
    introduced: csr_matrix
    """The same of words that nobody had said before in the conversation."""
    told: csr_matrix
    """Shape (user messages, words): 1 where a message has a word that nobody had said before in the conversation."""
    taken_up: IntArray
    """Shape (entries of ``told``,): the first of the agent's messages after it that has the word, -1 if none has."""
    words: Sequence[str]
    """Which word each column is."""
    weights: FloatArray
    """Shape (words,): the rarer a word in these conversations, the more."""

    @classmethod
    def of(cls, columns: Columns) -> Exchanged:
        """Lay out the words of all messages."""
        import numpy as np

        stop_words = columns.lexicon.entries("stop_words", columns.language.of_lists) or frozenset()
        known: dict[str, int] = {}
        said = [
            _numbered(messages, known, stop_words)
            for messages in (columns.user_words, map(words, columns.agent_texts))
        ]
        user, agent = (_bag(*messages, len(known)) for messages in said)
        told, introduced = _first_said(columns, user, agent)
        weights = _weights(columns, user, agent)
        return cls(
            user, _gathered(columns, agent), _gathered(columns, introduced), told, _taken_up(columns, told, agent),
            [*known], np.asarray(weights),
        )  # fmt: skip

    @property
    def answers(self) -> IntArray:
        """The user messages with a content word that follow an agent's message with one."""
        import numpy as np

        return np.flatnonzero((np.diff(self.user.indptr) > 0) & (np.diff(self.heard.indptr) > 0))

    def cosines(self) -> FloatArray:
        """Return for each user message the weighed cosine of its words with those heard; NaN where it is undefined."""
        import numpy as np

        square = self.weights**2
        shared = np.asarray(self.user.multiply(self.heard) @ square, np.float64)
        lengths = (self.user @ square) * (self.heard @ square)
        cosines = np.full(len(shared), nan)
        np.divide(shared, np.sqrt(lengths), out=cosines, where=lengths > 0)
        return cosines


def _numbered(
    messages: Iterable[list[str]], known: dict[str, int], stop_words: frozenset[str]
) -> tuple[array[int], array[int]]:
    """Return the different words of each message by their numbers in ``known``, which grows, and where each ends."""
    numbers, ends = array("i"), array("q", [0])
    for message in messages:
        said = {known.setdefault(word, len(known)) for word in message[:MAX_WORDS] if word not in stop_words}
        numbers.extend(sorted(said))
        ends.append(len(numbers))
    return numbers, ends


def _bag(numbers: array[int], message_ends: array[int], n_words: int) -> csr_matrix:
    """Return which words each message holds; shape (messages, words)."""
    import numpy as np
    from scipy.sparse import csr_matrix

    columns, ends = np.asarray(numbers, np.int32), np.asarray(message_ends, np.int64)
    return csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=(len(ends) - 1, n_words))


def _gathered(columns: Columns, agent: csr_matrix) -> csr_matrix:
    """Return which words of agent messages each user message follows; shape (user messages, words)."""
    import numpy as np
    from scipy.sparse import csr_matrix

    starts, ends = columns.heard.T
    lengths = ends - starts
    after = np.concatenate([[0], np.cumsum(lengths)])
    which = np.arange(after[-1]) - np.repeat(after[:-1] - starts, lengths)
    select = csr_matrix((np.ones(len(which), np.float32), which, after), shape=(len(starts), agent.shape[0]))
    gathered = csr_matrix(select @ agent)
    gathered.data[:] = 1
    gathered.eliminate_zeros()
    return gathered


def _first_said(columns: Columns, user: csr_matrix, agent: csr_matrix) -> tuple[csr_matrix, csr_matrix]:
    """Return, for the user's messages and for the agent's, which words nobody had said before in the conversation."""
    import numpy as np
    from scipy.sparse import csr_matrix

    place_of_user, place_of_agent = _places(columns)
    user_row, user_word = user.nonzero()
    agent_row, agent_word = agent.nonzero()
    conversation = np.concatenate([columns.user_of[user_row], columns.agent_of[agent_row]])
    word = np.concatenate([user_word, agent_word])
    place = np.concatenate([place_of_user[user_row], place_of_agent[agent_row]])
    order = np.lexsort((place, word, conversation))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(conversation[order]) != 0) | (np.diff(word[order]) != 0)
    is_first = np.zeros(len(order), np.float32)
    is_first[order] = new
    parts = np.split(is_first, [len(user_row)])
    places = ((user_row, user_word), (agent_row, agent_word))
    told, introduced = (
        csr_matrix((part, at), shape=side.shape)
        for part, at, side in zip(parts, places, (user, agent), strict=True)
    )
    told.eliminate_zeros()
    introduced.eliminate_zeros()
    return told, introduced


def _taken_up(columns: Columns, told: csr_matrix, agent: csr_matrix) -> IntArray:
    """Return, for each new word of the user's, the first of the agent's messages that has it, -1 if none has.

    The word is new where it is told, so that all of these come after it.
    """
    import numpy as np

    n_words = max(1, told.shape[1])
    user_row, agent_row = (np.repeat(np.arange(m.shape[0]), np.diff(m.indptr)) for m in (told, agent))
    sought = columns.user_of[user_row] * n_words + told.indices
    known, first = np.unique(columns.agent_of[agent_row] * n_words + agent.indices, return_index=True)
    at = np.searchsorted(known, sought)
    found = np.flatnonzero(at < len(known))
    found = found[known[at[found]] == sought[found]]
    taken_up = np.full(len(sought), -1, np.int64)
    taken_up[found] = agent_row[first[at[found]]]
    return taken_up


def _places(columns: Columns) -> tuple[IntArray, IntArray]:
    """Return the place of each user message and of each agent message in its conversation."""
    import numpy as np

    places: dict[str, list[int]] = {"user": [], "assistant": []}
    for conversation in columns.conversations:
        for place, message in enumerate(conversation.messages):
            if message.role in places:
                places[message.role].append(place)
    return np.asarray(places["user"], np.int64), np.asarray(places["assistant"], np.int64)


def _weights(columns: Columns, user: csr_matrix, agent: csr_matrix) -> FloatArray:
    import numpy as np
    from scipy.sparse import csr_matrix

    total = np.zeros(user.shape[1])
    rows = np.concatenate([columns.user_of, columns.agent_of])
    by_conversation = csr_matrix(
        (np.ones(len(rows), np.float32), (rows, np.arange(len(rows)))), shape=(columns.n, len(rows))
    )
    held = by_conversation[:, : user.shape[0]] @ user + by_conversation[:, user.shape[0] :] @ agent
    total += np.bincount(csr_matrix(held).indices, minlength=user.shape[1])
    proportion = total / (columns.n + UNSEEN)
    weights: np.ndarray = np.log((1 + COMMON) / (proportion + COMMON))
    return weights
