"""A conversation as the chat that a fine-tuned model plays: roles flipped, each user message with its opening.

The opening is drawn among those that are possible, by its likelihood; it is never looked for in the words. So what a
person typed cannot be taken for a move, and a move cannot be malformed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from convsim.schema import ChatMessage
from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Persona
from convsim.shoppers.contexts import CUT_SHORT, last_items
from convsim.shoppers.needs import Needs
from convsim.shoppers.prompts import render, said_to_shopper

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


MAX_WORDS = 12
MAX_CHARACTERS = 2_000
WORD = re.compile(r"[^\W_]{2,}(?:['’-][^\W_]+)*")


def need_words(text: str) -> list[str]:
    """Return at most twelve words of content, without repeats, in alphabetical order.

    A need that was drawn from a log is what a person said first. A model that is shown this very sentence while it
    learns to say it learns to copy; shown what it is about, it learns to put it in words. English stop words are
    those of scikit-learn.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words = (found.group().lower() for found in WORD.finditer(text[:MAX_CHARACTERS]))
    told = dict.fromkeys(word for word in words if word not in ENGLISH_STOP_WORDS)
    return sorted(list(told)[:MAX_WORDS])


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
        id=conversation.id,
        task=conversation.task,
        need=Needs.of([conversation]).stated(conversation) or conversation.first_words,
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
