"""Models that say that a conversation is over, and not how: their end mark, and what the words before it tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from convsim._settings import Domain, Positive, Temperature, check_settings
from convsim.errors import InputError, ModelError
from convsim.models.chat import cut_at
from convsim.schema import ChatModel, Completion, NoMoveError, UserMove
from convsim.schema.conversation import Conversation, Item, LearnedFrom
from convsim.shoppers.contexts import last_items
from convsim.shoppers.prompts import ShopperPrompts
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


Attempt = Callable[[int], Awaitable[Completion]]
"""Asks a model for a message, with a seed."""


@dataclass(frozen=True)
class EndsByMark:
    """What shoppers are set to and do whose model writes the next message, and a mark where it is done."""

    name: ClassVar[str]
    learned_from: ClassVar[LearnedFrom | None] = None
    speaks_alone: ClassVar[bool] = True
    """Its model is asked for messages alone: ``convsim check`` asks it for one, and for no choice."""
    marks: ClassVar[Sequence[str]]
    """What ends a conversation."""
    prompt_names: ClassVar[tuple[str, ...]]
    """The prompt files that it is asked with."""
    model: ChatModel
    _: KW_ONLY
    temperature: Temperature = 1.0
    max_tokens: Positive = 256
    n_items: Positive = 4
    """How many items of the carousel the shopper sees."""
    language: str = "en"
    domain: Domain | None = None
    """What the conversation is about, such as films; None says nothing of it."""
    prompts: Path | str | None = None
    """A folder whose files stand in for ours, as ``convsim prompts export`` writes them."""

    def __post_init__(self) -> None:
        check_settings(self, self.name)
        if not reads_endings(self.language, Lexicon()):
            raise InputError(f"shopper {self.name}: there are no phrases of taking in {self.language!r}")
        _ = self._prompts

    @cached_property
    def _prompts(self) -> ShopperPrompts:
        return ShopperPrompts(self.prompts, self.domain, names=self.prompt_names)

    @property
    def prompt_hashes(self) -> dict[str, str]:
        """SHA-256 of every prompt file, by name."""
        return self._prompts.hashes

    async def _moved(
        self,
        conversation: Conversation,
        attempt: Attempt,
        *,
        seed: int,
        refused: Callable[[str], str | None] = lambda _: None,
        attempts: int = ATTEMPTS,
    ) -> UserMove:
        """Ask until a message is usable, as ``speak_or_end`` does, and make a move of it."""
        spent = Spent()
        try:
            said = await speak_or_end(
                attempt, spent, marks=self.marks, may_end=bool(conversation.user_messages),
                who=f"{self.name} on {self.model.name}", max_tokens=self.max_tokens, seed=seed, refused=refused,
                attempts=attempts,
            )  # fmt: skip
        except ModelError as error:
            raise NoMoveError(str(error), usage=spent.usage, counts=spent.counts) from error
        return move_of(said, conversation, n_items=self.n_items, language=self.language, spent=spent)


async def speak_or_end(
    attempt: Attempt,
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
        attempt: Asks the model.
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
