"""A language model that plays a shopper from a persona and its need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from convsim._settings import Domain, Positive, Temperature, check_settings
from convsim.errors import ModelError
from convsim.schema import ChatMessage, ChatModel, Completion, Decision, NoMoveError, UserMove
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.persona import Persona
from convsim.seeds import child_seed
from convsim.shoppers.contexts import last_items
from convsim.shoppers.prompts import (
    ShopperPrompts,
    describe,
    said_to_shopper,
    without_control_tokens,
    written,
)
from convsim.shoppers.speaking import Spent, speak_in_role

Style = Literal["chat", "transcript"]
SAY, ACCEPT, LEAVE = "go on", "buy", "leave"
ACTIONS = {SAY: "say", ACCEPT: "accept", LEAVE: "leave"}


@dataclass(frozen=True)
class Prompted:
    """First decides whether to go on, accept or leave, as a typed choice; then says something in the persona's words.

    ``style`` is how the model is asked for words: ``chat`` flips the roles of the conversation, ``transcript`` lets
    the model continue a written one, which keeps small models in their role. A message that breaks character,
    is empty or is cut off is asked for once more; then the conversation fails, with the reason.
    """

    name: ClassVar[str] = "prompted"
    model: ChatModel
    _: KW_ONLY
    style: Style | None = None
    """None takes the style in which the model is known to keep its role: chat, unless the model says otherwise."""
    temperature: Temperature = 0.9
    max_tokens: Positive = 80
    n_items: Positive = 4
    """How many items of the carousel the shopper sees."""
    learned_from: LearnedFrom | None = None
    domain: Domain | None = None
    """What the conversation is about, such as films; None says nothing of it."""
    prompts: Path | str | None = None
    """A folder whose files stand in for ours, as ``convsim prompts export`` writes them."""

    def __post_init__(self) -> None:
        check_settings(self, self.name)
        _ = self._prompts

    @cached_property
    def _prompts(self) -> ShopperPrompts:
        return ShopperPrompts(self.prompts, self.domain)

    @property
    def prompt_hashes(self) -> dict[str, str]:
        """SHA-256 of every prompt file, by name."""
        return self._prompts.hashes

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Decide, then say it; raises ModelError when the model does not stay in its role."""
        return await self.move(conversation, persona, examples=(), retrieved=(), seed=seed)

    async def decide(
        self,
        conversation: Conversation,
        persona: Persona,
        *,
        seed: int,
        with_item: bool = False,
        told: str = "",
    ) -> Decision:
        """Decide as a move does, without words; raises ModelError when the model does not decide."""
        spent, action, known = Spent(), SAY, None
        item, items = None, None
        try:
            if conversation.user_messages:
                action, known = await self._decide(
                    conversation, persona, spent, told=told, seed=child_seed(seed, "decide")
                )
            if action == ACCEPT or (with_item and last_items(conversation)):
                item, items = await self._choose_item(
                    conversation, persona, spent, seed=child_seed(seed, "item")
                )
        except ModelError as error:
            raise NoMoveError(str(error), usage=spent.usage, counts=spent.counts) from error
        probabilities = {ACTIONS[option]: p for option, p in known.items()} if known else None
        return Decision.model_validate(
            {
                "action": ACTIONS[action],
                "probabilities": probabilities,
                "item": item,
                "items": items,
                "usage": spent.usage,
            }
        )

    async def move(
        self,
        conversation: Conversation,
        persona: Persona,
        *,
        examples: Sequence[str],
        retrieved: tuple[str, ...],
        told: str = "",
        seed: int,
    ) -> UserMove:
        """Make a move with the conversations of others, as transcripts, and what else is told, in the prompt."""
        spent = Spent()
        fields: dict[str, object] = {}
        try:
            action = SAY
            if conversation.user_messages:
                action, _ = await self._decide(
                    conversation, persona, spent, told=told, seed=child_seed(seed, "decide")
                )
            if action == ACCEPT:
                item, _ = await self._choose_item(conversation, persona, spent, seed=child_seed(seed, "item"))
                fields = {"accepted": (item,)}
            elif action == SAY:
                fields = {
                    "text": await self.say(
                        conversation, persona, spent, examples=examples, told=told, seed=seed
                    )
                }
        except ModelError as error:
            raise NoMoveError(str(error), usage=spent.usage, counts=spent.counts) from error
        fields |= {"action": ACTIONS[action], "usage": spent.usage, "retrieved": retrieved}
        return UserMove.model_validate({**fields, **spent.counts})

    async def _decide(
        self, conversation: Conversation, persona: Persona, spent: Spent, *, told: str, seed: int
    ) -> tuple[str, dict[str, float] | None]:
        """Return what was chosen, and how likely each option was where the model tells."""
        options = [SAY, ACCEPT, LEAVE] if last_items(conversation) else [SAY, LEAVE]
        prompt = self._prompts.render(
            "decide", persona=persona, history=written(conversation, n_items=self.n_items)
        )
        asked = [ChatMessage(role="user", content=f"{told}\n\n{prompt}" if told else prompt)]
        choice = await self.model.choose(asked, options, temperature=self.temperature, seed=seed)
        spent.completions.append(choice.completion)
        return options[choice.index], dict(
            zip(options, choice.probabilities, strict=True)
        ) if choice.probabilities else None

    async def _choose_item(
        self, conversation: Conversation, persona: Persona, spent: Spent, *, seed: int
    ) -> tuple[str, dict[str, float] | None]:
        """Return the item that was chosen, and how likely each was where the model tells."""
        items = last_items(conversation)[: self.n_items]
        if len(items) == 1:
            return items[0].id, {items[0].id: 1.0}
        asked = [ChatMessage(role="user", content=self._prompts.render("choose_item", persona=persona))]
        described = (without_control_tokens(describe(item)) for item in items)
        options = [f"{number}. {item}" for number, item in enumerate(described, start=1)]
        choice = await self.model.choose(asked, options, temperature=self.temperature, seed=seed)
        spent.completions.append(choice.completion)
        known: dict[str, float] | None = {} if choice.probabilities else None
        if known is not None:
            for item, probability in zip(items, choice.probabilities, strict=True):
                known[item.id] = min(1.0, known.get(item.id, 0.0) + probability)
        return items[choice.index].id, known

    async def say(
        self,
        conversation: Conversation,
        persona: Persona,
        spent: Spent,
        *,
        examples: Sequence[str] = (),
        told: str = "",
        seed: int,
    ) -> str:
        """Ask for the words of the next move; ``told`` is what the move is, where that was decided elsewhere.

        Raises:
            ModelError: The model does not stay in its role; what that cost is added to ``spent``.
        """

        async def attempt(draw: int) -> Completion:
            return await self._complete(conversation, persona, examples=examples, told=told, seed=draw)

        return await speak_in_role(attempt, spent, who=self.model.name, max_tokens=self.max_tokens, seed=seed)

    async def _complete(
        self, conversation: Conversation, persona: Persona, *, examples: Sequence[str], told: str, seed: int
    ) -> Completion:
        asked = self.asked(conversation, persona, examples=examples, told=told)
        if isinstance(asked, str):
            return await self.model.continue_text(
                asked, max_tokens=self.max_tokens, temperature=self.temperature, seed=seed, stop=("\n",)
            )
        return await self.model.complete(
            asked, max_tokens=self.max_tokens, temperature=self.temperature, seed=seed
        )

    def asked(
        self, conversation: Conversation, persona: Persona, *, examples: Sequence[str] = (), told: str = ""
    ) -> str | list[ChatMessage]:
        """Return what the model is asked for words with: a written transcript to continue, or a chat to answer."""
        if (self.style or getattr(self.model, "prompt_style", "chat")) == "transcript":
            history = [*written(conversation, n_items=self.n_items), *([told] if told else [])]
            return self._prompts.render("transcript", persona=persona, history=history, examples=examples)
        system = self._prompts.render("chat", persona=persona, examples=examples)
        system = f"{system}\n\n{told}" if told else system
        flipped = [ChatMessage(role="system", content=system)]
        if not conversation.messages:
            flipped.append(ChatMessage(role="user", content=self._prompts.render("opening", persona=persona)))
        for message in conversation.messages:
            if message.role == "user":
                flipped.append(ChatMessage(role="assistant", content=message.content))
            elif message.role == "assistant":
                heard = without_control_tokens(said_to_shopper(message, self.n_items))
                flipped.append(ChatMessage(role="user", content=heard))
        return flipped
