"""What a rater sees of a conversation: words and items alone, cut and neutralised, both sides treated alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from convsim._text import readable
from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.record import Count, Flag, Record, Text

MAX_MESSAGE_CHARACTERS = 4_000
MAX_CONVERSATION_CHARACTERS = 40_000
MAX_MESSAGES = 80
MAX_ITEMS = 5
MAX_TITLE_CHARACTERS = 90


class Said(Record):
    """One message as it is shown; ``cut`` says that the end of it is not."""

    by_user: Flag
    text: Text
    items: tuple[Text, ...] = ()
    cut: Flag = False

    def pieces(self) -> list[tuple[int | None, str]]:
        """Split the text into words with their index, and the white space between them without one."""
        found: list[tuple[int | None, str]] = []
        n_words = 0
        for piece in re.findall(r"\s+|\S+", self.text):
            blank = piece.isspace()
            found.append((None if blank else n_words, piece))
            n_words += not blank
        return found


class Shown(Record):
    """A conversation as it is shown; ``n_cut`` messages at its end are not."""

    said: tuple[Said, ...]
    n_cut: Count = 0

    def word(self, message: int, word: int) -> str | None:
        """Return a word of the user by its place; None where there is none."""
        if not 0 <= message < len(self.said) or not self.said[message].by_user:
            return None
        words = self.said[message].text.split()
        return words[word] if 0 <= word < len(words) else None


class Shelf(NamedTuple):
    """What of the agent's items can be shown on all sides alike."""

    items: bool
    prices: bool

    @classmethod
    def of(cls, sides: Collection[Sequence[Conversation]]) -> Shelf:
        """Show items where every side has some, and prices where no item is without one: else they would be tells."""
        items = [[item for c in side for m in c.messages for item in m.items] for side in sides]
        return cls(
            items=all(items), prices=all(item.price is not None for listed in items for item in listed)
        )


def show(conversation: Conversation, shelf: Shelf) -> Shown:
    """Return what a rater sees: no id, arm, simulator, ending, fault, label or action."""
    spoken = [m for m in conversation.messages if m.role in ("user", "assistant")]
    said: list[Said] = []
    left = MAX_CONVERSATION_CHARACTERS
    for message in spoken[:MAX_MESSAGES]:
        if left <= 0:
            break
        said.append(_said(message, shelf, limit=min(left, MAX_MESSAGE_CHARACTERS)))
        left -= len(said[-1].text)
    return Shown(said=tuple(said), n_cut=len(spoken) - len(said))


def can_be_judged(conversation: Conversation) -> bool:
    """Tell whether the user says anything that can be seen."""
    return any(said.by_user and said.text for said in show(conversation, Shelf(False, False)).said)


def _cut(text: str, *, limit: int) -> str:
    return readable(text[: limit + 1].replace("\r\n", "\n")[:limit]).strip()


def _said(message: Message, shelf: Shelf, *, limit: int) -> Said:
    by_user = message.role == "user"
    return Said(
        by_user=by_user,
        text=_cut(message.content, limit=limit),
        items=tuple(_titles(message.items, shelf)) if shelf.items and not by_user else (),
        cut=len(message.content.strip()) > limit,
    )


def _titles(items: Iterable[Item], shelf: Shelf) -> Iterable[str]:
    """Write items without their ids: those of two sources look different."""
    for item in list(items)[:MAX_ITEMS]:
        title = " ".join(_cut(item.title, limit=MAX_TITLE_CHARACTERS).split()) or "(no title)"
        ellipsis = "…" if len(item.title) > MAX_TITLE_CHARACTERS else ""
        price = f" · {item.price:.2f}" if shelf.prices and item.price is not None else ""
        yield f"{title}{ellipsis}{price}"
