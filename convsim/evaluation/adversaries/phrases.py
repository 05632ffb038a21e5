"""Set phrases in a few languages, for adversaries who say what nobody of the crowd said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from convsim._inputs import read_toml
from convsim.schema.conversation import Conversation
from convsim.text.language import tell_language


class Phrases(BaseModel):
    """What such users say, in one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    bot_openings: tuple[str, ...] = Field(min_length=1)
    bot_answers: tuple[str, ...] = Field(min_length=1)
    agreeing: tuple[str, ...] = Field(min_length=1)
    yes: tuple[str, ...] = Field(min_length=1)
    deflecting: tuple[str, ...] = Field(min_length=1)
    coaching: tuple[str, ...] = Field(min_length=1)
    acknowledging: tuple[str, ...] = Field(min_length=1)
    hedging: tuple[str, ...] = Field(min_length=1)


@cache
def _by_language() -> Mapping[str, Phrases]:
    content = read_toml(files("convsim.evaluation.adversaries").joinpath("phrases.toml"))
    return TypeAdapter(dict[str, Phrases]).validate_python(content)


def phrases_for(people: Sequence[Conversation]) -> Phrases | None:
    """Return the phrases in the language that these users write; None where there are none."""
    language = tell_language("\n".join(m.content for m in c.user_messages) for c in people)
    return _by_language().get(language.of_lists)
