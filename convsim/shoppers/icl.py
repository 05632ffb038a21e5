"""The prompted shopper with the most similar real conversations in its prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from convsim._settings import Domain, Positive, Temperature, check_settings
from convsim.schema import ChatModel, Decision, UserMove
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.persona import Persona
from convsim.shoppers.contexts import Contexts, situation
from convsim.shoppers.prompted import Prompted, Style
from convsim.shoppers.prompts import written
from convsim.shoppers.speaking import Spent


@dataclass(frozen=True)
class ICL:
    """In-context learning: k real conversations are retrieved anew each turn by what is known so far.

    The key is task, need, the agent's last message and the turn; never a label from the end. Conversations that the
    persona was drawn from are excluded. Each move records which conversations it saw.
    """

    name: ClassVar[str] = "icl"
    model: ChatModel
    real: Sequence[Conversation] = field(repr=False)
    _: KW_ONLY
    sha256: str | None = None
    """Of the file that ``real`` was read from."""
    k: Positive = 3
    style: Style | None = None
    temperature: Temperature = 0.9
    max_tokens: Positive = 80
    n_items: Positive = 4
    max_example_characters: Positive = 600
    """Each example is cut to its first whole lines within this."""

    domain: Domain | None = None
    """What the conversation is about, such as films; None says nothing of it."""
    prompts: Path | str | None = None
    """A folder whose files stand in for ours, as ``convsim prompts export`` writes them."""

    def __post_init__(self) -> None:
        check_settings(self, self.name)
        _ = self._shopper

    @cached_property
    def _contexts(self) -> Contexts:
        return Contexts.of(self.real, sha256=self.sha256)

    @cached_property
    def _shopper(self) -> Prompted:
        return Prompted(
            self.model, style=self.style, temperature=self.temperature, max_tokens=self.max_tokens,
            n_items=self.n_items, domain=self.domain, prompts=self.prompts,
        )  # fmt: skip

    @property
    def learned_from(self) -> LearnedFrom:
        """What the shopper was built from."""
        return self._contexts.learned_from

    @property
    def prompt_hashes(self) -> dict[str, str]:
        """SHA-256 of every prompt file, by name."""
        return self._shopper.prompt_hashes

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Retrieve, then move as the prompted shopper does; raises ModelError when the model leaves its role."""
        found = self._similar(conversation, persona)
        examples = [self._example(source) for source in found]
        retrieved = tuple(source.fingerprint for source in found)
        return await self._shopper.move(
            conversation, persona, examples=examples, retrieved=retrieved, seed=seed
        )

    async def decide(
        self, conversation: Conversation, persona: Persona, *, seed: int, with_item: bool = False
    ) -> Decision:
        """Decide as a move does: as the prompted shopper, which is shown no conversations of others for it."""
        return await self._shopper.decide(conversation, persona, seed=seed, with_item=with_item)

    async def say(
        self, conversation: Conversation, persona: Persona, spent: Spent, *, told: str, seed: int
    ) -> tuple[str, tuple[str, ...]]:
        """Ask for the words of a move that was decided elsewhere; also return which conversations were shown.

        Raises:
            ModelError: The model does not stay in its role; what that cost is added to ``spent``.
        """
        found = self._similar(conversation, persona)
        examples = [self._example(source) for source in found]
        text = await self._shopper.say(conversation, persona, spent, examples=examples, told=told, seed=seed)
        return text, tuple(source.fingerprint for source in found)

    def _similar(self, conversation: Conversation, persona: Persona) -> list[Conversation]:
        last = next((m.content for m in reversed(conversation.messages) if m.role == "assistant"), "")
        turn = sum(1 for _ in conversation.turns())
        text = situation(persona.need, persona.task, last)
        found: dict[str, Conversation] = {}
        for place in self._contexts.nearest(text, turn=turn, persona=persona):
            found.setdefault(place.source.id, place.source)
            if len(found) == self.k:
                break
        return list(found.values())

    def _example(self, source: Conversation) -> str:
        lines: list[str] = []
        for line in written(source, n_items=0):
            if sum(map(len, lines)) + len(line) > self.max_example_characters and lines:
                break
            lines.append(line[: self.max_example_characters])
        return "\n".join(lines)
