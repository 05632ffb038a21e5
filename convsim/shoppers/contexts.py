"""Where real shoppers stood when they made each move, and how their ends become moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from convsim.errors import InputError
from convsim.schema import UserMove
from convsim.schema.conversation import Conversation, Item, LearnedFrom, Message
from convsim.schema.persona import Persona
from convsim.shoppers.needs import Needs

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CUT_SHORT = ("turn_limit", "agent_ended", "agent_failed", "shopper_failed")
"""Endings that are not a move of the user's."""


def last_items(conversation: Conversation) -> tuple[Item, ...]:
    """Return the items that the agent showed last."""
    return next((m.items for m in reversed(conversation.messages) if m.role == "assistant" and m.items), ())


def closing_move(source: Conversation, present: Conversation, *, retrieved: tuple[str, ...] = ()) -> UserMove:
    """End the present conversation without words, as ``source`` ended."""
    if source.ending == "accepted" and (items := last_items(present)):
        return UserMove(action="accept", accepted=(items[0].id,), retrieved=retrieved)
    return UserMove(action="leave", retrieved=retrieved)


def spoken_move(
    message: Message, source: Conversation, present: Conversation, *, retrieved: tuple[str, ...] = ()
) -> UserMove:
    """Say a real message; one that accepted items accepts those at the same places of the present carousel."""
    shown = last_items(present)
    if message.action == "accept" and shown:
        ranks = {item.id: rank for m in source.messages for rank, item in enumerate(m.items)}
        chosen = {min(ranks.get(item_id, 0), len(shown) - 1) for item_id in message.accepted} or {0}
        accepted = tuple(shown[rank].id for rank in sorted(chosen))
        return UserMove(action="accept", text=message.content, accepted=accepted, retrieved=retrieved)
    if message.action == "leave":
        return UserMove(action="leave", text=message.content, retrieved=retrieved)
    return UserMove(action="say", text=message.content, retrieved=retrieved)


TURN_PENALTY = 0.1
"""Taken off the cosine for each turn of difference, so that a late move is not offered early."""


@dataclass(frozen=True)
class Context:
    """One place in a real conversation: what was known there, and the user's next message (None: it ended)."""

    source: Conversation
    turn: int
    text: str
    move: Message | None


@dataclass(frozen=True)
class Contexts:
    """Every place of the conversations that a data-driven shopper learns from, searchable by similarity."""

    conversations: tuple[Conversation, ...]
    sha256: str | None = None

    @classmethod
    def of(cls, conversations: Sequence[Conversation], *, sha256: str | None = None) -> Contexts:
        """Keep the conversations in which a user spoke; raises InputError where there is none."""
        spoken = tuple(c for c in conversations if any(m.content.strip() for m in c.user_messages))
        if not spoken:
            raise InputError(
                "a data-driven shopper needs real conversations with user messages, but found none"
            )
        return cls(spoken, sha256)

    @cached_property
    def learned_from(self) -> LearnedFrom:
        """Hashes of the source file and of the conversations, and the arms that these belong to."""
        return LearnedFrom.of(self.conversations, sha256=self.sha256)

    @cached_property
    def places(self) -> list[Context]:
        """Every place at which a user spoke or ended the conversation."""
        needs = Needs.of(self.conversations)
        return [
            place
            for conversation in self.conversations
            for place in _places(conversation, needs.stated(conversation) or conversation.first_words)
        ]

    @cached_property
    def _index(self) -> tuple[object, object, npt.NDArray[np.float64]]:
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\b\w+\b")
        matrix = vectorizer.fit_transform([place.text for place in self.places])
        return vectorizer, matrix, np.asarray([place.turn for place in self.places], np.float64)

    def nearest(self, text: str, *, turn: int, persona: Persona) -> Iterator[Context]:
        """Yield places, those most like the present one first, none of the persona's own conversations or user."""
        import numpy as np

        vectorizer, matrix, turns = self._index
        cosine = (matrix @ vectorizer.transform([text]).T).toarray().ravel()  # type: ignore[attr-defined]
        similarity = cosine - TURN_PENALTY * np.abs(turns - turn)
        for index in np.argsort(-similarity, kind="stable"):
            place = self.places[int(index)]
            if not is_own(place.source, persona):
                yield place


def is_own(conversation: Conversation, persona: Persona) -> bool:
    """Tell whether a real conversation is the one, or by the user, that a persona was drawn from."""
    drawn_from, user = persona.metadata.get("drawn_from"), persona.metadata.get("drawn_from_user")
    own_conversation = drawn_from is not None and drawn_from == conversation.id
    return own_conversation or (user is not None and user == conversation.user)


def situation(need: str, task: str | None, last_agent_message: str) -> str:
    """Return the text by which places are compared: task, need, and what the agent said last."""
    return "\n".join([task or "", need, last_agent_message])


def _places(conversation: Conversation, need: str) -> Iterator[Context]:
    last_agent_message = ""
    turn = 0
    awaiting = True
    for message in conversation.messages:
        if message.role == "assistant":
            last_agent_message, awaiting = message.content, True
        elif message.role == "user":
            yield Context(conversation, turn, situation(need, conversation.task, last_agent_message), message)
            turn += awaiting
            awaiting = False
    if conversation.failure is None and conversation.ending not in CUT_SHORT:
        yield Context(conversation, turn, situation(need, conversation.task, last_agent_message), None)
