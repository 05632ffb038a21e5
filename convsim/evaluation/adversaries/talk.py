"""Conversations taken apart and put together: users' messages replaced, people sorted by what they can lend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from convsim.schema.conversation import Conversation, Message
from convsim.text.lexicons import read_character_class
from convsim.text.segment import UNSPACED
from convsim.text.words import word_spans

if TYPE_CHECKING:
    from numpy.random import Generator

T = TypeVar("T")
QUESTION = read_character_class("question_marks")


def users_of(conversation: Conversation) -> list[Message]:
    """Return the user's messages."""
    return list(conversation.user_messages)


def with_users(conversation: Conversation, users: Sequence[Message]) -> Conversation:
    """Replace the user's messages, one by one; the agent's stay.

    Raises:
        ValueError: There are more or fewer than the conversation has.
    """
    left = iter(users)
    messages = tuple(next(left, None) if m.role == "user" else m for m in conversation.messages)
    if None in messages or next(left, None) is not None:
        raise ValueError(f"the conversation does not have {len(users)} user messages")
    return conversation.model_copy(update={"messages": messages})


def with_texts(conversation: Conversation, texts: Iterable[str]) -> Conversation:
    """Replace what the user's messages say; what they do stays."""
    pairs = zip(users_of(conversation), texts, strict=True)
    return with_users(conversation, [saying(message, text) for message, text in pairs])


def rewritten(people: Iterable[Conversation], rewrite: Callable[[str], str]) -> list[Conversation]:
    """Rewrite every message of every user."""
    return [with_texts(c, [rewrite(m.content) for m in users_of(c)]) for c in people]


def saying(message: Message, text: str) -> Message:
    """Return the message with another text."""
    return message if text == message.content else message.model_copy(update={"content": text})


class Pieces(NamedTuple):
    """A text in words with what stands around them, and what they are joined by."""

    parts: list[str]
    joined_by: str

    def text(self, parts: Sequence[str] | None = None) -> str:
        """Join the parts, or others."""
        return self.joined_by.join(self.parts if parts is None else parts)


def pieces(text: str) -> Pieces:
    """Cut a text at its spaces, or, in a script that has none, before its words."""
    if not UNSPACED.search(text):
        return Pieces(text.split(), " ")
    starts = [start for start, _ in word_spans(text)]
    cuts = [0, *starts[1:], len(text)]
    parts = [text[a:b] for a, b in pairwise(cuts) if a < b]
    return Pieces(parts, "")


def joined(*texts: str) -> str:
    """Join texts with a space between, or nothing where they are written without spaces."""
    said = [text for text in texts if text.strip()]
    return ("" if any(UNSPACED.search(text) for text in said) else " ").join(said)


def followed(conversation: Conversation) -> list[str]:
    """Return, for each of the user's messages, what the agent said since the user's last one; empty for nothing."""
    found: list[str] = []
    before: list[str] = []
    for message in conversation.messages:
        if message.role == "user":
            found.append(" ".join(before))
            before = []
        elif message.role == "assistant":
            before.append(message.content)
    return found


def asks(text: str) -> bool:
    """Tell whether a text ends with a question, as far as its last hundred characters go."""
    return QUESTION.search(text[-100:]) is not None


def groups(people: Iterable[T], key: Callable[[T], Hashable]) -> Iterator[list[T]]:
    """Yield people who have the same ``key`` together, in the order in which they were first met."""
    found: dict[Hashable, list[T]] = defaultdict(list)
    for each in people:
        found[key(each)].append(each)
    yield from found.values()


def shuffled(options: Iterable[T], rng: Generator) -> list[T]:
    """Return the options in a drawn order."""
    options = list(options)
    return [options[int(at)] for at in rng.permutation(len(options))]


def drawn(options: Sequence[T], rng: Generator) -> T:
    """Draw one option."""
    return options[int(rng.integers(len(options)))]
