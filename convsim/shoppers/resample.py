"""No language model: at each turn the real message whose context is most like the present one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from itertools import islice
from typing import ClassVar

from convsim._settings import Positive, check_settings
from convsim.errors import ModelError
from convsim.schema import UserMove
from convsim.schema.conversation import Conversation, LearnedFrom
from convsim.schema.persona import Persona
from convsim.seeds import generator
from convsim.shoppers.contexts import Context, Contexts, closing_move, situation, spoken_move


@dataclass(frozen=True)
class Resample:
    """The data-driven baseline that costs nothing, and a positive control: its words are people's.

    Places in real conversations are compared by TF-IDF over task, need and the agent's last message, less a penalty
    for each turn of difference. One of the ``k`` likest is drawn, never one of the persona's own; where that
    conversation ended, the shopper leaves or accepts as its user did.
    """

    name: ClassVar[str] = "resample"
    real: Sequence[Conversation] = field(repr=False)
    _: KW_ONLY
    sha256: str | None = None
    """Of the file that ``real`` was read from."""
    k: Positive = 5

    def __post_init__(self) -> None:
        check_settings(self, self.name)

    @cached_property
    def _contexts(self) -> Contexts:
        return Contexts.of(self.real, sha256=self.sha256)

    @property
    def learned_from(self) -> LearnedFrom:
        """What the shopper was built from."""
        return self._contexts.learned_from

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Draw a move from the likest places; raises ModelError where no other user's conversation has one."""
        last = next((m.content for m in reversed(conversation.messages) if m.role == "assistant"), "")
        turn = sum(1 for _ in conversation.turns())
        text = situation(persona.need, persona.task, last)
        # Nobody leaves before having spoken: for a first move, only places where somebody went on are offered.
        places = self._contexts.nearest(text, turn=turn, persona=persona)
        # An agent who greets is answered as people opened, not with what was said to a like text later on.
        first_only = not turn and bool(last)
        suited = (
            place for place in places if turn or (_opens(place) and not (first_only and place.turn > 0))
        )
        offered = list(islice(suited, self.k))
        if not offered:
            raise ModelError(f"resample has no other user's move for persona {persona.id!r}")
        place = offered[int(generator(seed, "place").integers(len(offered)))]
        retrieved = (place.source.fingerprint,)
        if place.move is None:
            return closing_move(place.source, conversation, retrieved=retrieved)
        return spoken_move(place.move, place.source, conversation, retrieved=retrieved)


def _opens(place: Context) -> bool:
    move = place.move
    return move is not None and bool(move.content.strip()) and move.action in (None, "say")
