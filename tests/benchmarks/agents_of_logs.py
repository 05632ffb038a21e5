"""Agents that stand in for those of logs, which nobody can run: they say what these said at similar places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from convsim.schema import AgentReply
from convsim.schema.conversation import Conversation, Item
from convsim.seeds import generator
from convsim.shoppers.contexts import TURN_PENALTY
from tests.unit.shoppers.policies.known import COLORS, KINDS, item_like

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

SHOWN = 3
"""Items that the agent of known people shows."""


class Place(NamedTuple):
    """What an agent said in one go, and after what."""

    heard: str
    """What the user had said just before; empty where nobody had."""
    turn: int
    said: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class AgentOfLogs:
    """Says what the agents of a log said after much the same words, at about the same turn.

    It has neither a memory nor a catalogue: it is no better than chance at what a user wanted before, and does not
    react to what a shopper has refused. All shoppers meet it alike, so what differs between them is theirs.
    """

    name: ClassVar[str] = "agent of logs"
    conversations: Sequence[Conversation] = field(repr=False)
    k: int = 5
    """Similar places of which one is drawn."""

    @cached_property
    def _places(self) -> list[Place]:
        return [place for conversation in self.conversations for place in _places(conversation)]

    @cached_property
    def _index(self) -> tuple[TfidfVectorizer, csr_matrix]:
        from sklearn.feature_extraction.text import TfidfVectorizer

        # Characters, since not every language puts spaces between words.
        vectorizer = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, max_features=50_000
        )
        return vectorizer, vectorizer.fit_transform([place.heard for place in self._places])

    @cached_property
    def _turns(self) -> np.ndarray:
        return np.asarray([place.turn for place in self._places], np.float64)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Draw one of the ``k`` likest places."""
        said = [m.content for m in conversation.messages if m.role == "user"]
        turn = len(said)
        if not said:
            offered = [at for at, place in enumerate(self._places) if place.turn == 0]
        else:
            vectorizer, matrix = self._index
            alike = (matrix @ vectorizer.transform([said[-1]]).T).toarray().ravel()
            alike -= TURN_PENALTY * np.abs(self._turns - turn) + 9.0 * (self._turns == 0)
            offered = np.argsort(-alike, kind="stable")[: self.k].tolist()
        place = self._places[offered[int(generator(seed, "agent").integers(len(offered)))]]
        return AgentReply(content=place.said, items=place.items)


def _places(conversation: Conversation) -> Iterator[Place]:
    heard: list[str] = []
    said: list[str] = []
    items: list[Item] = []
    turn = 0
    for message in [*conversation.messages, None]:
        if message is not None and message.role == "assistant":
            said.append(message.content)
            items += message.items
        elif message is None or message.role == "user":
            if said:
                if any(text.strip() for text in said):
                    yield Place("\n".join(heard), turn, "\n".join(said), tuple(items))
                heard, said, items = [], [], []
            if message is not None:
                turn += not heard
                heard.append(message.content)


@dataclass(frozen=True)
class AgentOfKnown:
    """The very agent that people with a known policy met: three items a turn, each fitting with a known probability."""

    name: ClassVar[str] = "agent of known people"
    fits: float = 0.4
    """How likely the color of an item is the one asked for, and so its kind."""

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        """Show three items."""
        rng = generator(seed, "agent")
        said = " ".join(m.content for m in conversation.messages if m.role == "user")
        color, kind = (_last_of(names, said) for names in (COLORS, KINDS))
        turn = sum(1 for _ in conversation.turns())
        items = [item_like(f"i{turn}-{rank}", color, kind, rng, fits=self.fits) for rank in range(SHOWN)]
        return AgentReply(content=naming(items), items=tuple(items))


def naming(items: Sequence[Item]) -> str:
    """Say which items are shown."""
    return f"These may suit: {', '.join(item.title for item in items)}."


def _last_of(names: Sequence[str], said: str) -> str:
    found = re.findall("|".join(names), said)
    return found[-1] if found else names[0]
