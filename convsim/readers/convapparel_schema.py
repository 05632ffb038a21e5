"""The JSON schema of a ConvApparel archive, as far as its card documents it; unknown keys are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue

from convsim.records import Name, Text


def _listed(value: object) -> object:
    return () if value is None else (value,) if isinstance(value, str) else value


def _nothing(value: object) -> object:
    return {} if value is None else value


def _none(value: object) -> object:
    return () if value is None else value


Texts = Annotated[tuple[Text, ...], BeforeValidator(_listed)]
Ratings = Annotated[dict[str, JsonValue], BeforeValidator(_nothing)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, JsonValue]


class Recommendation(_Part):
    """One item of the carousel; ``description`` and ``features`` are a text or a list of texts."""

    item_id: Name
    title: Text | None = None
    description: Texts = ()
    features: Texts = ()
    image_url: Text | None = None


class ArchivedTurn(_Part):
    """What the user said, the agent's answer, and what the user later said about it."""

    user_utterance: Text | None
    assistant_utterance: Text | None
    ratings: Ratings = {}
    recommendations: Annotated[tuple[Recommendation, ...], BeforeValidator(_none)] = ()


class ArchivedConversation(_Part):
    """One conversation; ``ratings`` are of the whole session."""

    task_id: Name
    version: Text | None = None
    ratings: Ratings = {}
    turns: tuple[ArchivedTurn, ...]
