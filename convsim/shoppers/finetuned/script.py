"""A conversation as the chat that a fine-tuned model plays: roles flipped, each user message with its opening."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from convsim.schema import ChatMessage
from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Persona
from convsim.shoppers.ending import CUT_SHORT, last_items
from convsim.shoppers.finetuned.moves import LEAVE, SAY, accept, accepted_rank, line
from convsim.shoppers.finetuned.need import need_words
from convsim.shoppers.prompts import render, said_to_shopper


@dataclass(frozen=True)
class Script:
    """A whole conversation to learn from.

    ``openings`` holds, for each message that the model is to learn, by its place, the opening that it begins with.
    """

    messages: tuple[ChatMessage, ...]
    openings: Mapping[int, str]
    n_empty: int = 0
    """User turns without any text, which are shown and not learned."""


def asked(conversation: Conversation, persona: Persona, *, n_items: int) -> list[ChatMessage]:
    """Return what the model is asked for the next move: who it is, and what has been said."""
    return [message for message, _ in _flipped(conversation, persona, n_items)]


def script(conversation: Conversation, *, n_items: int) -> Script:
    """Return a conversation of people, its end included, as a chat to learn from.

    Several messages in a row are one turn, a message a line. A conversation that the user ended is ended by the last
    turn where that is the user's, else by a move without words.
    """
    persona = conversation.persona or Persona(
        id=conversation.id, task=conversation.task, need=conversation.first_words
    )
    conversation = _to_its_end(conversation)
    flipped = list(_flipped(conversation, persona, n_items))
    messages = [message for message, _ in flipped]
    turns = [place for place, message in enumerate(messages) if message.role == "assistant"]
    openings = {
        place: SAY for place in turns if any(message.content.strip() for message in flipped[place][1])
    }
    n_empty = len(turns) - len(openings)
    if conversation.failure is None and conversation.ending not in CUT_SHORT and openings:
        end, last = _end(conversation, n_items), len(messages) - 1
        if last != turns[-1]:
            openings[len(messages)] = end
            messages.append(ChatMessage(role="assistant", content=end))
        elif len(turns) > 1:  # the first move is to say something, whatever came of it
            n_empty -= last not in openings
            openings[last] = end
            text = messages[last].content.removeprefix(SAY).strip()
            messages[last] = ChatMessage(role="assistant", content=line(end, text))
    return Script(tuple(messages), openings, n_empty)


def _to_its_end(conversation: Conversation) -> Conversation:
    """Leave out what the agent still said after the user had accepted or left."""
    last = max((place for place, m in enumerate(conversation.messages) if m.role == "user"), default=None)
    if last is None or conversation.messages[last].action not in ("accept", "leave"):
        return conversation
    return conversation.model_copy(update={"messages": conversation.messages[: last + 1]})


def _flipped(
    conversation: Conversation, persona: Persona, n_items: int
) -> Iterator[tuple[ChatMessage, list[Message]]]:
    """Yield the flipped chat, each message with those of the conversation that it stands for."""
    system = render("sft", persona=persona, words=need_words(persona.need))
    yield ChatMessage(role="system", content=system), []
    spoken = [message for message in conversation.messages if message.role in ("user", "assistant")]
    if not spoken or spoken[0].role == "user":
        yield ChatMessage(role="user", content=render("opening", persona=persona)), []
    for role, messages in groupby(spoken, key=lambda message: message.role):
        run = list(messages)
        if role == "user":
            text = "\n".join(message.content.strip() for message in run if message.content.strip())
            yield ChatMessage(role="assistant", content=line(SAY, text)), run
        else:
            text = "\n".join(said_to_shopper(message, n_items) for message in run)
            yield ChatMessage(role="user", content=text), run


def _end(conversation: Conversation, n_items: int) -> str:
    closing = next((m for m in reversed(conversation.messages) if m.action in ("accept", "leave")), None)
    accepts = conversation.ending == "accepted" or (
        conversation.ending == "unknown" and closing is not None and closing.action == "accept"
    )
    # Nothing can be accepted where nothing was shown; what is over without it is left.
    if not accepts or not last_items(conversation):
        return LEAVE
    return accept(accepted_rank(closing, conversation, n_items=n_items))
