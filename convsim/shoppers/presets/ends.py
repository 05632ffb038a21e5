"""Models that say that a conversation is over, and not how: their end mark, and what the words before it tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from convsim.errors import InputError
from convsim.models.chat import cut_at
from convsim.schema import Completion, UserMove
from convsim.schema.conversation import Conversation, Item
from convsim.shoppers.contexts import last_items
from convsim.shoppers.speaking import ATTEMPTS, Spent, speak_in_role
from convsim.text.endings import read_ending, reads_endings
from convsim.text.lexicons import Lexicon
from convsim.text.titles import padded, title_words
from convsim.text.words import words


@dataclass(frozen=True)
class Said:
    """The words of a move, and whether the model has ended the conversation with them."""

    text: str
    is_end: bool


async def speak_or_end(
    attempt: Callable[[int], Awaitable[Completion]],
    spent: Spent,
    *,
    marks: Sequence[str],
    may_end: bool,
    who: str,
    max_tokens: int,
    seed: int,
    refused: Callable[[str], str | None] = lambda _: None,
    attempts: int = ATTEMPTS,
) -> Said:
    """Ask for a message until one is usable; what comes after an end mark is no part of it.

    Args:
        attempt: Asks the model, with a seed.
        spent: What is added to.
        marks: What ends a conversation.
        may_end: Whether a mark counts; else the words before it are said, and nothing is over.
        who: The model's name, for the error.
        max_tokens: The bound on an answer, for the error.
        seed: Moves every draw.
        refused: Returns why words are asked for anew that are no end; None for those that are said.
        attempts: How often the model is asked.

    Raises:
        ModelError: No attempt was usable.
    """
    is_end = False

    async def until_mark(draw: int) -> Completion:
        nonlocal is_end
        said = await attempt(draw)
        text, is_marked = cut_at(said.text, marks)
        is_end = is_marked and may_end
        # What a model goes on to write of the other side is not what the limit is for.
        return said.but(text=text, finish_reason="stop") if is_marked else said

    text = await speak_in_role(
        until_mark, spent, who=who, max_tokens=max_tokens, seed=seed, may_be_silent=lambda: is_end,
        refused=lambda text: None if is_end else refused(text), attempts=attempts,
    )  # fmt: skip
    return Said(text, is_end)


def move_of(said: Said, conversation: Conversation, *, n_items: int, language: str, spent: Spent) -> UserMove:
    """Make a move of what was said.

    An end accepts where the user's last words take something that was shown (``read_ending``), else it leaves: a move
    cannot be "over, nobody knows how". What is taken is the item whose title stands in these words, else the first.
    """
    fields: dict[str, object] = {"action": "say", "text": said.text}
    if said.is_end:
        fields["action"] = "leave"
        told = [*(m.content for m in conversation.user_messages), said.text]
        shown = last_items(conversation)[:n_items]
        if shown and read_ending(told, language, Lexicon()) == "accepted":
            fields |= {"action": "accept", "accepted": (_taken(told, shown).id,)}
    return UserMove.model_validate({**fields, "usage": spent.usage, **spent.counts})


def _taken(told: Sequence[str], shown: Sequence[Item]) -> Item:
    for text in reversed(told):
        row = padded(words(text))
        named = [item for item in shown if item.title and padded(title_words(item.title)) in row]
        if named:
            return named[0]
    return shown[0]


def check_language(shopper: str, language: str) -> None:
    """Check that there are phrases by which an ending is read; raises InputError where there are none."""
    if not reads_endings(language, Lexicon()):
        raise InputError(f"shopper {shopper}: there are no phrases of taking in {language!r}")
