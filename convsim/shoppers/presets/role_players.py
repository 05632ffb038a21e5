"""OSim-8B and Ditto-8B: models that were trained to play people, as the assistant of a chat whose roles are flipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from convsim._settings import Domain, Positive, Temperature, check_settings
from convsim.errors import ModelError
from convsim.schema import ChatMessage, ChatModel, Completion, NoMoveError, UserMove
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.persona import Persona
from convsim.shoppers.presets.ends import check_language, move_of, speak_or_end
from convsim.shoppers.prompted import Prompted
from convsim.shoppers.prompts import ShopperPrompts
from convsim.shoppers.speaking import Spent

ENDS = "###STOP###", "<|endconversation|>"
"""What ends a conversation: what our prompt asks for, and what training asked for in another form of prompt."""
PROMPTS = "chat", "opening", "ending"


@dataclass(frozen=True)
class OSim:
    """CMU's OSim-8B (OdysSim) says the next message of a persona, or that it is done, in one call.

    It speaks as the assistant: the system's message tells whom it plays and when to write ``###STOP###``, the agent's
    messages are the user's. Its chat template is Qwen3's, without an end token of its own; what it thinks in
    ``<think>`` is taken off. An end accepts where the last words take an item (of ``language``), else it leaves.

    Nobody states with which temperature it is meant to be run; 1 is that of its training.

    Source:
        Zhou, Sun et al. (2026), OdysSim: Building Foundation Models for Human Behavior Simulation, arXiv:2606.14199,
        and its code, sunnweiwei/OdysSim: ``agents/tau_usi/agent.py`` (roles, the end mark), ``agents/utils.py``
        (``remove_think``, sampling) and ``agents/userllm`` (the end mark of training). The model card was not found.
    """

    name: ClassVar[str] = "osim"
    learned_from: ClassVar[LearnedFrom | None] = None
    speaks_alone: ClassVar[bool] = True
    """Its model is asked for messages alone: ``convsim check`` asks it for one, and for no choice."""
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
        check_language(self.name, self.language)
        _ = self._prompts

    @cached_property
    def _prompts(self) -> ShopperPrompts:
        return ShopperPrompts(self.prompts, self.domain, names=PROMPTS)

    @cached_property
    def _player(self) -> Prompted:
        return Prompted(
            self.model, style="chat", n_items=self.n_items, domain=self.domain, prompts=self.prompts
        )

    @property
    def prompt_hashes(self) -> dict[str, str]:
        """SHA-256 of every prompt file, by name."""
        return self._prompts.hashes

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Ask for the next message; raises ModelError when the model has no usable words."""
        spent = Spent()
        messages = self.asked(conversation, persona)

        async def attempt(draw: int) -> Completion:
            return await self.model.complete(
                messages, max_tokens=self.max_tokens, temperature=self.temperature, seed=draw
            )

        try:
            said = await speak_or_end(
                attempt, spent, marks=ENDS, may_end=bool(conversation.user_messages),
                who=f"{self.name} on {self.model.name}", max_tokens=self.max_tokens, seed=seed,
            )  # fmt: skip
        except ModelError as error:
            raise NoMoveError(str(error), usage=spent.usage, counts=spent.counts) from error
        return move_of(said, conversation, n_items=self.n_items, language=self.language, spent=spent)

    def asked(self, conversation: Conversation, persona: Persona) -> Sequence[ChatMessage]:
        """Return whom the model plays, when it is done, and what has been said, with the roles flipped."""
        told = self._prompts.render("ending", persona=persona)
        asked = self._player.asked(conversation, persona, told=told)
        assert not isinstance(asked, str)
        return asked


@dataclass(frozen=True)
class Ditto(OSim):
    """Ditto-8B, of the same code as OSim-8B, says the next message of a persona, or that it is done, in one call.

    It is asked as ``osim`` is. Its card names Qwen3-VL-8B-Instruct as its base: such a folder is no causal language
    model for this process, and goes behind a server, as with ``vllm serve``.

    Source:
        Sun, Zhou et al. (2026), Reinforcing Human Behavior Simulation via Verbal Feedback, arXiv:2605.20506; the model
        card of sunweiwei/Ditto-8B (base, licence; it states no prompt); its code, as that of ``OSim``, whose
        ``recipe/ditto`` runs it over the same tasks.
    """

    name: ClassVar[str] = "ditto"
