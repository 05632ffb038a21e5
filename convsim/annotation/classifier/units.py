"""What a classifier looks at: the words of one side and the other, and a few numbers, before any counting."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from convsim.schema.columns import words
from convsim.schema.conversation import Conversation, Message

Level = Literal["message", "conversation"]
MAX_CHARACTERS = 20_000
"""Of each side's text, so that no message costs more than others do by thousands of times."""

N_NUMBERS = 9
"""Numbers of a unit beside its texts, at either level."""


class Unit(NamedTuple):
    """One thing to label: what the user said, what the agent said just before (a message), and numbers from 0 to 1."""

    said: str
    heard: str
    numbers: tuple[float, ...]


def message_units(conversation: Conversation) -> Iterator[tuple[int, Unit]]:
    """Yield each user message's index among all messages and its unit, made of nothing that comes later."""
    known: set[str] = set()
    heard: list[Message] = []
    spoken = 0
    for index, message in enumerate(conversation.messages):
        if message.role == "assistant":
            heard.append(message)
        elif message.role == "user":
            said = words(message.content[:MAX_CHARACTERS])
            agent = _joined(heard)
            numbers = (
                _log_share(len(said), 150),
                _log_share(spoken, 20),
                float(spoken == 0),
                float(not said),
                _share(sum(word in known for word in said), len(said)),
                float("?" in message.content),
                float(not heard),
                float("?" in agent),
                float(any(reply.items for reply in heard)),
            )
            yield index, Unit(_clean(message.content), agent, numbers)
            known.update(said)
            heard = []
            spoken += 1


def conversation_unit(conversation: Conversation) -> Unit:
    """Return the unit of a whole conversation: the user's words, and how many and how repetitive they are.

    The agent's words are left out, though they often tell more: a label made of them says what a user was shown, not
    how the user took it, and any two kinds of user who meet one agent would look alike by it. How the conversation
    ended is left out too: people's logs seldom say, and a label may not depend on which log it stands in.
    """
    messages = [message.content for message in conversation.user_messages]
    lengths = [len(words(message[:MAX_CHARACTERS])) for message in messages] or [0]
    said = _joined(conversation.user_messages)
    user_words = words(said)
    numbers = (
        _log_share(len(messages), 20),
        _log_share(len(user_words) / max(1, len(messages)), 150),
        _log_share(lengths[0], 150),
        _log_share(lengths[-1], 150),
        _share(len(user_words) - len(set(user_words)), len(user_words)),
        _share(len(messages) - len(set(messages)), len(messages)),
        _share(sum("?" in message for message in messages), len(messages)),
        _share(sum(not length for length in lengths), len(lengths)),
        float("?" in messages[-1]) if messages else 0.0,
    )
    return Unit(said, "", numbers)


def _joined(messages: Sequence[Message]) -> str:
    return _clean("\n".join(message.content for message in messages))


def _clean(text: str) -> str:
    """Return at most 20,000 characters in lower case; half a surrogate pair, which no file can hold, becomes ``?``."""
    writable = text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    return " ".join(writable.lower().replace("’", "'").split())


def _log_share(count: float, most: int) -> float:
    return min(1.0, math.log1p(count) / math.log1p(most))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
