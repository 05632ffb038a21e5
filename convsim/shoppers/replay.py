"""A real user's own messages again, whatever the agent says now: the ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import ClassVar

from convsim.errors import ModelError
from convsim.schema import UserMove
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.persona import Persona
from convsim.shoppers.contexts import closing_move, spoken_move


@dataclass(frozen=True)
class Replay:
    """Says what the user said whom the persona was drawn from, one run of messages a turn."""

    name: ClassVar[str] = "replay"
    real: Sequence[Conversation] = field(repr=False)
    _: KW_ONLY
    sha256: str | None = None
    """Of the file that ``real`` was read from."""

    @cached_property
    def _by_id(self) -> dict[str, Conversation]:
        return {conversation.id: conversation for conversation in self.real}

    @cached_property
    def learned_from(self) -> LearnedFrom:
        """What the shopper was built from."""
        return LearnedFrom.of(self.real, sha256=self.sha256)

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Say the next run of the user's messages, or end as the user did."""
        source = self._by_id.get(str(persona.metadata.get("drawn_from", persona.id)))
        if source is None:
            raise ModelError(
                f"replay has no conversation for persona {persona.id!r}; draw personas from the same file"
            )
        runs = [turn.user for turn in source.turns()]
        said = sum(1 for _ in conversation.turns())
        if said >= len(runs):
            return closing_move(source, conversation, retrieved=(source.fingerprint,))
        run = runs[said]
        move = spoken_move(run[-1], source, conversation, retrieved=(source.fingerprint,))
        return move.but(text="\n".join(message.content for message in run))
