"""A shopper that is a model fine-tuned on real conversations."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from convsim._inputs import read_input
from convsim._settings import Temperature, TopP, check_settings
from convsim.errors import InputError, ModelError
from convsim.schema import (
    ChatMessage,
    Completion,
    Decision,
    NoMoveError,
    OpeningModel,
    UserMove,
)
from convsim.schema.conversation import Action, Conversation, LearnedFrom, Usage
from convsim.schema.persona import Persona
from convsim.seeds import child_seed
from convsim.shoppers.contexts import last_items
from convsim.shoppers.finetuned.script import LEAVE, SAY, accept, asked, possible
from convsim.shoppers.finetuned.trained import MAX_BYTES, SHOPPER_FILE, Trained, read_trained
from convsim.shoppers.prompts import prompt_hashes
from convsim.shoppers.speaking import Spent, speak_in_role

PROMPTS = ("sft", "opening")


@dataclass(frozen=True)
class SFT:
    """Draws its next move - to say something, to accept an item, to leave - then the words, from a trained model.

    The move is drawn at temperature 1 among all that are possible, as its probability was learned from people: a
    lower temperature, or a nucleus, would do away with rare ends. ``temperature`` and ``top_p`` are for the words;
    None takes what training chose. Ends without words are possible, says without are asked for once more.
    """

    name: ClassVar[str] = "sft"
    model: OpeningModel
    _: KW_ONLY
    temperature: Temperature | None = None
    top_p: TopP | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.model, OpeningModel):
            raise InputError(
                f"shopper sft needs a trained shopper's folder, but has {getattr(self.model, 'name', self.model)!r}: "
                "give --model FOLDER, a folder written by convsim train"
            )
        _ = self.trained
        check_settings(self, self.name)

    @cached_property
    def trained(self) -> Trained:
        """What the model's folder says of the shopper."""
        return read_trained(Path(self.model.path))

    @property
    def learned_from(self) -> LearnedFrom:
        """What the shopper was built from."""
        return self.trained.learned_from

    @property
    def prompt_hashes(self) -> dict[str, str]:
        """SHA-256 of every prompt file, by name, and of what training said of this shopper."""
        said = read_input(Path(self.model.path) / SHOPPER_FILE, MAX_BYTES)
        return {**prompt_hashes(*PROMPTS), SHOPPER_FILE: hashlib.sha256(said).hexdigest()}

    async def decide(
        self, conversation: Conversation, persona: Persona, *, seed: int, with_item: bool = False
    ) -> Decision:
        """Draw the move as ``speak`` does, without words; which item it would take is known with it."""
        spent = Spent()
        try:
            prompt = await self._within(asked(conversation, persona, n_items=self.trained.n_items))
            openings = possible(conversation, n_items=self.trained.n_items)
            if len(openings) == 1:
                return Decision(action="say", probabilities={"say": 1.0})
            choice = await self.model.draw_opening(prompt, openings, seed=child_seed(seed, "move"))
        except ModelError as error:
            raise NoMoveError(str(error), usage=spent.usage, counts=spent.counts) from error
        n_ends = openings.index(LEAVE) + 1
        shown = [item.id for item in last_items(conversation)[: len(openings) - n_ends]]
        likely = choice.probabilities
        fields: dict[str, object] = {"action": "say", "usage": Usage.sum([choice.completion])}
        if choice.index >= n_ends:
            fields |= {"action": "accept", "item": shown[choice.index - n_ends]}
        elif openings[choice.index] == LEAVE:
            fields["action"] = "leave"
        if likely:
            taken = min(1.0, sum(likely[n_ends:]))
            said, left = likely[openings.index(SAY)], likely[openings.index(LEAVE)]
            fields["probabilities"] = {"say": said, "leave": left, **({"accept": taken} if shown else {})}
            if shown and taken > 0:
                each: dict[str, float] = {}
                for item, probability in zip(shown, likely[n_ends:], strict=True):
                    each[item] = min(1.0, each.get(item, 0.0) + probability / taken)
                fields |= {"items": each, "item": fields.get("item", max(each, key=lambda item: each[item]))}
        return Decision.model_validate(fields)

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Draw the move, then say it; raises ModelError when the model has no usable words."""
        trained = self.trained
        spent = Spent()
        try:
            prompt = await self._within(asked(conversation, persona, n_items=trained.n_items))
            openings = possible(conversation, n_items=trained.n_items)
            opening = SAY
            if len(openings) > 1:
                choice = await self.model.draw_opening(prompt, openings, seed=child_seed(seed, "move"))
                spent.completions.append(choice.completion)
                opening = openings[choice.index]
            text = await self._said(prompt, opening, spent, seed=seed)
        except ModelError as error:
            raise NoMoveError(str(error), usage=spent.usage, counts=spent.counts) from error
        fields: dict[str, object] = {"action": "say", "text": text, "usage": spent.usage, **spent.counts}
        if opening == LEAVE:
            fields["action"] = "leave"
        elif opening != SAY:
            item = last_items(conversation)[openings.index(opening) - openings.index(LEAVE) - 1]
            fields |= {"action": "accept", "accepted": (item.id,)}
        return UserMove.model_validate(fields)

    async def say(
        self,
        conversation: Conversation,
        persona: Persona,
        spent: Spent,
        *,
        action: Action,
        item: str | None = None,
        seed: int,
    ) -> str:
        """Ask for the words of a move that was decided elsewhere; an end may have none.

        Raises:
            ModelError: The model has no usable words; what that cost is added to ``spent``.
        """
        n_items = self.trained.n_items
        prompt = await self._within(asked(conversation, persona, n_items=n_items))
        opening = {"say": SAY, "leave": LEAVE}.get(action, "")
        if action == "accept":
            ranks = {each.id: rank for rank, each in enumerate(last_items(conversation), start=1)}
            opening = accept(min(ranks.get(item or "", 1), n_items))
        return await self._said(prompt, opening, spent, seed=seed)

    async def _said(self, prompt: Sequence[ChatMessage], opening: str, spent: Spent, *, seed: int) -> str:
        async def attempt(draw: int) -> Completion:
            return await self._words(prompt, opening, seed=draw)

        return await speak_in_role(
            attempt, spent, who=self.model.name, max_tokens=self.trained.max_tokens, seed=seed,
            may_be_silent=opening != SAY,
        )  # fmt: skip

    async def _words(self, prompt: Sequence[ChatMessage], opening: str, *, seed: int) -> Completion:
        trained = self.trained
        return await self.model.complete_opened(
            prompt,
            opening,
            max_tokens=trained.max_tokens,
            temperature=trained.temperature if self.temperature is None else self.temperature,
            top_p=trained.top_p if self.top_p is None else self.top_p,
            seed=seed,
        )

    async def _within(self, prompt: list[ChatMessage]) -> list[ChatMessage]:
        """Leave out the oldest messages of a prompt that is longer than any that was learned from.

        The system's message and what was said last always stay.
        """
        while len(prompt) > 3 and await self.model.count_tokens(prompt) > self.trained.max_prompt_tokens:
            # Two at a time, so that what follows the system's message is still the other side's.
            del prompt[1:3]
        return prompt
