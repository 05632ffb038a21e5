"""OSim-8B and Ditto-8B: models that were trained to play people, as the assistant of a chat whose roles are flipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from convsim.schema import ChatMessage, Completion, UserMove
from convsim.schema.conversation import Conversation
from convsim.schema.persona import Persona
from convsim.shoppers.presets.ends import EndsByMark
from convsim.shoppers.prompted import Prompted

ENDS = "###STOP###", "<|endconversation|>"
"""What ends a conversation: what our prompt asks for, and what training asked for in another form of prompt."""
PROMPTS = "chat", "opening", "ending"


@dataclass(frozen=True)
class OSim(EndsByMark):
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
    marks: ClassVar[Sequence[str]] = ENDS
    prompt_names: ClassVar[tuple[str, ...]] = PROMPTS

    @cached_property
    def _player(self) -> Prompted:
        return Prompted(
            self.model, style="chat", n_items=self.n_items, domain=self.domain, prompts=self.prompts
        )

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Ask for the next message; raises ModelError when the model has no usable words."""
        messages = self.asked(conversation, persona)

        async def attempt(draw: int) -> Completion:
            return await self.model.complete(
                messages, max_tokens=self.max_tokens, temperature=self.temperature, seed=draw
            )

        return await self._moved(conversation, attempt, seed=seed)

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
