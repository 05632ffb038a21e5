"""How a move is written for a fine-tuned model: each answer opens with what it does, then come the words.

The opening is drawn among those that are possible, by its likelihood; it is never looked for in the words. So what a
person typed cannot be taken for a move, and a move cannot be malformed.
"""

from __future__ import annotations

from collections.abc import Sequence

from convsim.schema.conversation import Conversation, Message
from convsim.shoppers.ending import last_items

SAY = "say:"
LEAVE = "leave:"


def accept(rank: int) -> str:
    """Return the opening that accepts the item at a place of the carousel, counted from 1."""
    return f"accept {rank}:"


def possible(conversation: Conversation, *, n_items: int) -> list[str]:
    """Return the openings that are possible now, `say` first; nobody ends what they have not begun."""
    if not conversation.user_messages:
        return [SAY]
    shown = len(last_items(conversation)[:n_items])
    return [SAY, LEAVE, *(accept(rank) for rank in range(1, shown + 1))]


def accepted_rank(message: Message | None, conversation: Conversation, *, n_items: int) -> int:
    """Return the place of the item that was accepted in the last carousel shown; 1 where it is not known."""
    wanted = set(message.accepted) if message is not None else set()
    shown: Sequence[str] = [item.id for item in last_items(conversation)[:n_items]]
    return next((rank for rank, item in enumerate(shown, start=1) if item in wanted), 1)


def line(opening: str, text: str) -> str:
    """Write a move as an answer of the model."""
    return f"{opening} {text}".rstrip()
