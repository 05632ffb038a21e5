"""What a shopper does: one typed move, from the conversation and the persona alone."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from pydantic import Field, model_validator

from convsim.errors import ModelError
from convsim.schema.conversation import Action, Conversation, LearnedFrom, Usage
from convsim.schema.persona import Persona
from convsim.schema.record import Count, Name, Record, Text


class UserMove(Record):
    """Say something, accept items, or leave; the text is never a label, a stop word or JSON."""

    action: Action
    text: Text = ""
    accepted: tuple[Name, ...] = ()
    usage: Usage = Field(default_factory=Usage)
    role_slips: Count = 0
    empty_answers: Count = 0
    truncated_answers: Count = 0
    retrieved: tuple[Text, ...] = ()
    """Fingerprints of the real conversations that this move was made from."""

    @model_validator(mode="after")
    def _accepts_something(self) -> "UserMove":
        if (self.action == "accept") != bool(self.accepted):
            raise ValueError(
                f"a move that accepts names items, and no other does: {self.action}, {self.accepted}"
            )
        return self


class NoMoveError(ModelError):
    """A shopper's model made no usable move; what was spent on it, and what went wrong how often, still counts."""

    def __init__(self, message: str, *, usage: Usage, counts: Mapping[str, int]):
        self.usage, self.counts = usage, counts
        super().__init__(message)


@runtime_checkable
class Shopper(Protocol):
    """A simulated user; stateless, so that any turn can be replayed alone."""

    @property
    def name(self) -> Name:
        """What the shopper is called in records."""
        ...

    @property
    def learned_from(self) -> LearnedFrom | None:
        """What a data-driven shopper was built from; None for one that learned from nothing."""
        ...

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        """Make the next move of ``persona`` in ``conversation``; raises ModelError when there is none."""
        ...
