"""How a real user's end becomes a move: accepting what stands at the same place, or leaving."""

from convsim.schema import UserMove
from convsim.schema.conversation import Conversation, Item, Message

CUT_SHORT = ("turn_limit", "agent_ended", "agent_failed", "shopper_failed")
"""Endings that are no move of the user's."""


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
