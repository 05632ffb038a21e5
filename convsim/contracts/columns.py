"""A corpus as flat columns, so that a metric touches each message once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from convsim.conversation import Conversation, Message

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.int64]

WORD = re.compile(r"\w+(?:['’-]\w+)*")
"""A word: a run of letters, digits or underscores, with apostrophes and hyphens inside."""


@dataclass(frozen=True)
class Exchange:
    """An agent message that showed items, what the user had said until then, and the user's next message."""

    conversation: int
    shown: Message
    said_before: str
    next_message: str


@dataclass(frozen=True)
class Columns:
    """Messages of n conversations laid flat; ``…_of`` arrays hold each message's conversation, 0 to n - 1."""

    n: int
    turns: IntArray
    """Shape (n,): turns a conversation."""
    user_texts: Sequence[str]
    user_of: IntArray
    agent_texts: Sequence[str]
    agent_of: IntArray
    first_of: IntArray
    """Shape (n,): index into ``user_texts`` of each conversation's first user message, -1 where there is none."""
    conversations: Sequence[Conversation]

    @classmethod
    def of(cls, conversations: Sequence[Conversation]) -> Columns:
        """Lay ``conversations`` flat."""
        import numpy as np

        user_texts: list[str] = []
        agent_texts: list[str] = []
        user_of: list[int] = []
        agent_of: list[int] = []
        turns = np.zeros(len(conversations), np.int64)
        first = np.full(len(conversations), -1, np.int64)
        for index, conversation in enumerate(conversations):
            in_user_run = False
            for message in conversation.messages:
                if message.role == "user":
                    if first[index] < 0:
                        first[index] = len(user_texts)
                    turns[index] += not in_user_run
                    in_user_run = True
                    user_texts.append(message.content)
                    user_of.append(index)
                elif message.role == "assistant":
                    in_user_run = False
                    agent_texts.append(message.content)
                    agent_of.append(index)
        return cls(
            len(conversations), turns, user_texts, np.asarray(user_of, np.int64),
            agent_texts, np.asarray(agent_of, np.int64), first, conversations,
        )  # fmt: skip

    @cached_property
    def user_words(self) -> list[list[str]]:
        """The words of each user message, in lower case."""
        return [WORD.findall(text.lower()) for text in self.user_texts]

    @cached_property
    def user_word_counts(self) -> FloatArray:
        """Words of each user message."""
        return _array(map(len, self.user_words), len(self.user_texts))

    @cached_property
    def agent_word_counts(self) -> FloatArray:
        """Words of each agent message."""
        return _array((len(WORD.findall(text)) for text in self.agent_texts), len(self.agent_texts))

    def sum_over_user(self, values: Iterable[float]) -> FloatArray:
        """Sum one value a user message within each conversation; shape (n,)."""
        return _sums(self.user_of, _array(values, len(self.user_texts)), self.n)

    def mean_over_user(self, values: Iterable[float]) -> FloatArray:
        """Average one value a user message within each conversation, NaN where there is none; shape (n,)."""
        return ratio(self.sum_over_user(values), _sums(self.user_of, None, self.n))

    def sum_over_agent(self, values: Iterable[float]) -> FloatArray:
        """Sum one value an agent message within each conversation; shape (n,)."""
        return _sums(self.agent_of, _array(values, len(self.agent_texts)), self.n)

    def exchanges(self) -> Iterable[Exchange]:
        """Yield each agent message that showed items and is followed by a user message."""
        for index, conversation in enumerate(self.conversations):
            shown: Message | None = None
            said: list[str] = []
            for message in conversation.messages:
                if message.role == "assistant" and message.items:
                    shown = message
                elif message.role == "user":
                    if shown is not None:
                        yield Exchange(index, shown, "\n".join(said), message.content)
                        shown = None
                    said.append(message.content)


def ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Divide elementwise; NaN where ``below`` is 0."""
    import numpy as np

    quotient: FloatArray = np.divide(above, below, out=np.full(len(above), np.nan), where=below != 0)
    return quotient


def _array(values: Iterable[float], count: int) -> FloatArray:
    import numpy as np

    return np.fromiter(values, np.float64, count)


def _sums(owners: IntArray, values: FloatArray | None, n: int) -> FloatArray:
    import numpy as np

    return np.bincount(owners, values, minlength=n).astype(np.float64)
