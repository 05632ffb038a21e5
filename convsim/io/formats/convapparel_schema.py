"""The JSON schema of a ConvApparel archive, as far as its card documents it; unknown keys are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from convsim.io.formats.foreign import ForeignPart, ListOrNull, ObjectOrNull
from convsim.schema.record import Name, Text


def _listed(value: object) -> object:
    return () if value is None else (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed)]


class Recommendation(ForeignPart):
    """One item of the carousel; ``description`` and ``features`` are a text or a list of texts."""

    item_id: Name
    title: Text | None = None
    description: Texts = ()
    features: Texts = ()
    image_url: Text | None = None


class ArchivedTurn(ForeignPart):
    """What the user said, the agent's answer, and what the user later said about it."""

    user_utterance: Text | None
    assistant_utterance: Text | None
    ratings: ObjectOrNull = Field(default_factory=dict)
    recommendations: ListOrNull[Recommendation] = ()


class ArchivedConversation(ForeignPart):
    """One conversation; ``ratings`` are of the whole session."""

    task_id: Name
    version: Text | None = None
    ratings: ObjectOrNull = Field(default_factory=dict)
    turns: tuple[ArchivedTurn, ...]
