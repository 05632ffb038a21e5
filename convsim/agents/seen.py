"""What an agent is told of a conversation: who said what and which items were shown, and nothing else."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from convsim.contracts.model import ChatMessage
from convsim.conversation import Conversation, Message

Role = Literal["system", "user", "assistant"]
ROLES: dict[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}


def seen_by_agent(conversation: Conversation) -> Conversation:
    """Return the conversation without persona, labels, arm and simulator, which no recommender may know."""
    messages = tuple(Message(role=m.role, content=m.content, items=m.items) for m in conversation.messages)
    return Conversation(id=conversation.id, task=conversation.task, messages=messages)


def as_chat(conversation: Conversation) -> list[ChatMessage]:
    """Return the messages as a chat model takes them; those of other roles are left out."""
    return [
        ChatMessage(role=ROLES[m.role], content=m.content) for m in conversation.messages if m.role in ROLES
    ]


def as_openai(conversation: Conversation) -> list[dict[str, JsonValue]]:
    """Return ``{"role", "content"}`` for each message, with ``"items"`` where the agent showed some."""
    return [
        {
            "role": message.role,
            "content": message.content,
            **({"items": [item.model_dump(mode="json") for item in message.items]} if message.items else {}),
        }
        for message in conversation.messages
    ]


def as_request(conversation: Conversation, *, seed: int) -> dict[str, JsonValue]:
    """Return what a program or an endpoint is sent: ``messages``, ``conversation_id`` and ``seed``."""
    messages: list[JsonValue] = [*as_openai(conversation)]
    return {"messages": messages, "conversation_id": conversation.id, "seed": seed}
