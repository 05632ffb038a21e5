"""A chat with its roles as a server or a chat template demands them; nothing that was said is lost."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from convsim.schema.chat_model import ChatMessage

SEPARATOR = "\n\n"


def folded(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Put what the system says before the first message of the user, or into one of the user's own."""
    system = SEPARATOR.join(message.content for message in messages if message.role == "system")
    chat = [message for message in messages if message.role != "system"]
    if not system:
        return chat
    if chat and chat[0].role == "user":
        first = ChatMessage(role="user", content=f"{system}{SEPARATOR}{chat[0].content}")
        return [first, *chat[1:]]
    return [ChatMessage(role="user", content=system), *chat]


def alternating(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Let the roles alternate from the user: the system first, neighbours of one role as one message.

    A chat that the assistant begins, as that of a shopper who speaks first does, gets a turn of the user before it.
    """
    system = [message for message in messages if message.role == "system"]
    chat = [message for message in messages if message.role != "system"]
    if chat and chat[0].role == "assistant":
        chat.insert(0, ChatMessage(role="user", content=neutral_turn()))
    return [*_merged(system), *_merged(chat)]


def neutral_turn() -> str:
    """Return what a user says who only lets the other begin."""
    return resources.files("convsim.models").joinpath("prompts/neutral_turn.txt").read_text("utf-8").strip()


def _merged(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    merged: list[ChatMessage] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            said = f"{merged[-1].content}{SEPARATOR}{message.content}"
            merged[-1] = ChatMessage(role=message.role, content=said)
        else:
            merged.append(message)
    return merged
