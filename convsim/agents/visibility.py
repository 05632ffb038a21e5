"""A conversation as a chat model or an endpoint takes it."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from convsim.lifting import as_openai
from convsim.schema.chat_model import ChatMessage
from convsim.schema.conversation import Conversation

Role = Literal["system", "user", "assistant"]
ROLES: dict[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}


def as_chat(conversation: Conversation) -> list[ChatMessage]:
    """Return the messages as a chat model takes them; those of other roles are left out."""
    return [
        ChatMessage(role=ROLES[m.role], content=m.content) for m in conversation.messages if m.role in ROLES
    ]


def as_request(conversation: Conversation, *, seed: int) -> dict[str, JsonValue]:
    """Return what a program or an endpoint is sent: ``messages``, ``conversation_id`` and ``seed``."""
    messages: list[JsonValue] = [*as_openai(conversation)]
    return {"messages": messages, "conversation_id": conversation.id, "seed": seed}
