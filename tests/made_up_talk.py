"""Conversations of made-up words, in which nobody says what another said but for what all say."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from convsim.schema import Corpus
from convsim.schema.conversation import Conversation, Message
from tests.corpora import corpus

N_WORDS = 2_000
_RANKS = 1 / np.arange(1, N_WORDS + 1)
SHARES = _RANKS / _RANKS.sum()
"""How often each word is said: as in any language, few are often."""
COMMON = ("yes please", "no thanks", "ok", "thank you very much", "show me something else please", "hi there")

Messages = Sequence[str]


def sentence(rng: Generator, n_words: int) -> str:
    return " ".join(f"w{word}" for word in rng.choice(N_WORDS, n_words, p=SHARES))


def talk(rng: Generator, n: int, *, n_messages: int = 3, n_words: int = 12) -> list[Messages]:
    """What the users of ``n`` conversations say."""
    return [
        [sentence(rng, int(rng.integers(n_words // 2, 2 * n_words))) for _ in range(n_messages)]
        for _ in range(n)
    ]


def small_talk(rng: Generator, n: int) -> list[Messages]:
    """Messages that anybody says, in any order."""
    return [[str(rng.choice(COMMON)) for _ in range(4)] for _ in range(n)]


def swapped(
    rng: Generator, said: Sequence[Messages], change: Callable[[int], Sequence[int]]
) -> list[Messages]:
    """The same with the words at some places of each message exchanged; ``change`` gives the places."""
    return [[_exchanged(rng, message, change) for message in messages] for messages in said]


def _exchanged(rng: Generator, message: str, change: Callable[[int], Sequence[int]]) -> str:
    words = message.split()
    for place in change(len(words)):
        words[place] = f"w{rng.integers(N_WORDS)}"
    return " ".join(words)


def one_word(rng: Generator) -> Callable[[int], Sequence[int]]:
    """One place of a message, at random."""
    return lambda n: [int(rng.integers(n))]


def every_second(n: int) -> Sequence[int]:
    return range(1, n, 2)


def side(said: Sequence[Messages], prefix: str, **more: Any) -> Corpus:
    """A corpus of one conversation each, without metrics; see ``tests.corpora.corpus`` for what else may be given."""
    bare = corpus({}, texts=[" " for _ in said], prefix=prefix, **more)
    conversations: list[Conversation] = [
        conversation.but(messages=tuple(Message(role="user", content=text) for text in messages))
        for conversation, messages in zip(bare.conversations, said, strict=True)
    ]
    return Corpus(conversations, bare.table, bare.metrics)
