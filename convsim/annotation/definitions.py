"""What the labels of acts and experience mean: ``definitions.toml``, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from convsim._inputs import read_toml

OTHER = "other"
"""The act that holds alone, where no other does."""

Examples = Annotated[tuple[str, ...], Field(min_length=2)]


class _Definition(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ActDefinition(_Definition):
    """Something that a user's message may do."""

    name: str
    definition: str
    examples: Annotated[tuple[str, ...], Field(min_length=2, max_length=2)]


class ExperienceDefinition(_Definition):
    """Something that a user's message, or a whole conversation, may show of how the user fares."""

    name: str
    question: str
    """Of one message; of a conversation the same holds "by its end"."""
    scale: tuple[Literal[0], Literal[1]]
    """1 where it shows, 0 where it does not."""
    yes: Examples
    no: Examples


class Definitions(_Definition):
    """All of ``definitions.toml``, in its order."""

    acts: tuple[ActDefinition, ...]
    experience: tuple[ExperienceDefinition, ...]

    @property
    def act_names(self) -> tuple[str, ...]:
        """The names that an ``acts`` label may hold."""
        return tuple(act.name for act in self.acts)

    @property
    def experience_names(self) -> tuple[str, ...]:
        """The names of the experience labels."""
        return tuple(experience.name for experience in self.experience)


@cache
def definitions() -> Definitions:
    """Return the definitions, from the file beside this module."""
    return Definitions.model_validate(read_toml(Path(__file__).with_name("definitions.toml")))
