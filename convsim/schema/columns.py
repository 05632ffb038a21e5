"""A corpus as flat columns, so that a metric touches each message once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from convsim.schema.conversation import Conversation, Item
from convsim.text.language import Language, tell_language
from convsim.text.lexicons import Lexicon
from convsim.text.words import words

if TYPE_CHECKING:
    from convsim.schema.arrays import BoolArray, FloatArray, IntArray
    from convsim.schema.exchanged import Exchanged
    from convsim.schema.told import Told


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the agent showed since the user last spoke, and the user's next message."""

    items: tuple[Item, ...]
    answer: int
    """Index into ``user_texts`` of the message that comes next."""


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
    agent_in_turn: BoolArray
    """Whether the user had spoken before each agent message; what comes earlier belongs to no turn."""
    first_of: IntArray
    """Shape (n,): index into ``user_texts`` of each conversation's first user message, -1 without one."""
    exchanges: Sequence[Exchange]
    """Each time that a user message follows shown items, in the order of ``user_texts``."""
    conversations: Sequence[Conversation]
    lexicon: Lexicon = field(default_factory=Lexicon)
    """Where word lists stand."""

    @classmethod
    def of(cls, conversations: Sequence[Conversation], *, lexicon: Lexicon | None = None) -> Columns:
        """Lay ``conversations`` flat."""
        import numpy as np

        user_texts: list[str] = []
        agent_texts: list[str] = []
        user_of: list[int] = []
        agent_of: list[int] = []
        in_turn: list[bool] = []
        exchanges: list[Exchange] = []
        turns = [0] * len(conversations)
        first = [-1] * len(conversations)
        for index, conversation in enumerate(conversations):
            in_user_run = False
            shown: list[Item] = []
            for message in conversation.messages:
                if message.role == "user":
                    if first[index] < 0:
                        first[index] = len(user_texts)
                    if shown:
                        exchanges.append(Exchange(tuple(shown), len(user_texts)))
                        shown = []
                    turns[index] += not in_user_run
                    in_user_run = True
                    user_texts.append(message.content)
                    user_of.append(index)
                elif message.role == "assistant":
                    in_user_run = False
                    shown.extend(message.items)
                    agent_texts.append(message.content)
                    agent_of.append(index)
                    in_turn.append(first[index] >= 0)
        return cls(
            len(conversations), np.asarray(turns, np.int64), user_texts, np.asarray(user_of, np.int64),
            agent_texts, np.asarray(agent_of, np.int64), np.asarray(in_turn, np.bool_),
            np.asarray(first, np.int64), exchanges, conversations, lexicon or Lexicon(),
        )  # fmt: skip

    @cached_property
    def language(self) -> Language:
        """What the users of all these conversations write in."""
        return tell_language("\n".join(m.content for m in c.user_messages) for c in self.conversations)

    @cached_property
    def user_words(self) -> list[list[str]]:
        """The words of each user message, in lower case."""
        known: dict[str, str] = {}  # a word is one object, however often it is said
        return [[known.setdefault(word, word) for word in words(text)] for text in self.user_texts]

    @cached_property
    def user_word_counts(self) -> FloatArray:
        """Words of each user message."""
        return _array(map(len, self.user_words), len(self.user_texts))

    @cached_property
    def heard(self) -> IntArray:
        """Shape (user messages, 2): the first agent message since the user last spoke, and the first after it.

        Indices into ``agent_texts``; both are the same where the agent has said nothing in between.
        """
        import numpy as np

        spans: list[tuple[int, int]] = []
        n_said = 0
        for conversation in self.conversations:
            since = n_said
            for message in conversation.messages:
                if message.role == "assistant":
                    n_said += 1
                elif message.role == "user":
                    spans.append((since, n_said))
                    since = n_said
        return np.asarray(spans, np.int64).reshape(-1, 2)

    @cached_property
    def exchanged(self) -> Exchanged:
        """Which content words each side says, and in answer to which."""
        from convsim.schema.exchanged import Exchanged

        return Exchanged.of(self)

    @cached_property
    def user_stated(self) -> list[frozenset[str]]:
        """The different words of each user message that are neither small talk nor stop words."""
        from convsim.schema.told import stated_by_user

        return stated_by_user(self)

    @cached_property
    def told(self) -> Told:
        """Those of them that neither side had said before."""
        from convsim.schema.told import told_by_user

        return told_by_user(self)

    @cached_property
    def user_told(self) -> IntArray:
        """How many of those each user message tells; shape (user messages,)."""
        import numpy as np

        return np.bincount(self.told.row, minlength=len(self.user_texts)).astype(np.int64)

    @cached_property
    def user_turns(self) -> IntArray:
        """In which turn of its conversation each user message stands, from 0; shape (user messages,)."""
        from convsim.schema.told import turns_of_user

        return turns_of_user(self)

    @cached_property
    def user_is_empty(self) -> list[bool]:
        """Whether each user message holds nothing but white space."""
        return [not text or text.isspace() for text in self.user_texts]

    @cached_property
    def agent_word_counts(self) -> FloatArray:
        """Words of each agent message."""
        return _array((len(words(text)) for text in self.agent_texts), len(self.agent_texts))

    def by_conversation(self, values: Sequence[T]) -> Iterator[Sequence[T]]:
        """Yield, for each of the n conversations, its part of ``values``, which hold one a user message."""
        import numpy as np

        bounds: list[int] = np.searchsorted(self.user_of, np.arange(self.n + 1)).tolist()
        for start, end in pairwise(bounds):
            yield values[start:end]

    def sum_over_user(self, values: Iterable[float]) -> FloatArray:
        """Sum one value a user message within each conversation; shape (n,)."""
        return _sums(self.user_of, _array(values, len(self.user_texts)), self.n)

    def mean_over_user(self, values: Iterable[float]) -> FloatArray:
        """Average one value a user message within each conversation; shape (n,).

        Messages whose value is NaN are left out; a conversation without any other is NaN.
        """
        import numpy as np

        flat = _array(values, len(self.user_texts))
        kept = ~np.isnan(flat)
        owners = self.user_of[kept]
        return ratio(_sums(owners, flat[kept], self.n), _sums(owners, None, self.n))

    def sum_over_agent(self, values: Iterable[float]) -> FloatArray:
        """Sum one value an agent message within each conversation; shape (n,)."""
        return _sums(self.agent_of, _array(values, len(self.agent_texts)), self.n)


def ratio(above: FloatArray, below: FloatArray | IntArray) -> FloatArray:
    """Divide elementwise; NaN where ``below`` is 0."""
    import numpy as np

    above, below = np.broadcast_arrays(above, below)
    ratios: FloatArray = np.full(above.shape, np.nan)
    np.divide(above, below, out=ratios, where=below != 0)
    return ratios


def _array(values: Iterable[float], count: int) -> FloatArray:
    import numpy as np

    return np.fromiter(values, np.float64, count)


def _sums(owners: IntArray, values: FloatArray | None, n: int) -> FloatArray:
    import numpy as np

    return np.bincount(owners, values, minlength=n).astype(np.float64)
