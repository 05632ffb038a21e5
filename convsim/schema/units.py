"""The resampling unit: what one conversation shares with others that are not independent of it."""

from __future__ import annotations

from convsim.schema.conversation import Conversation


def independent_unit(conversation: Conversation) -> str:
    """Name the unit of a conversation: its user, else its persona, else the conversation itself.

    Simulated conversations name no user, but one persona meets every arm with the same random numbers, so that its
    conversations hang together; and personas that were drawn from one user of a log share that user, who is then the
    unit, as in that user's own conversations.
    """
    persona = conversation.persona
    if conversation.user is not None:
        return f"user {conversation.user}"
    if persona is None:
        return f"conversation {conversation.id}"
    drawn_from = persona.metadata.get("drawn_from_user")
    return f"persona {persona.id}" if drawn_from is None else f"user {drawn_from}"
