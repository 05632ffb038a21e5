"""What became of the questions of a survey: which were mapped to labels, and which were left alone."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Level = Literal["session", "turn"]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MappedQuestion(_Row):
    """A question whose answers became labels."""

    level: Level
    question: str
    label: str
    scale: tuple[float, float] | None
    n_numbers: int
    """Answers that became numbers."""
    n_texts: int
    """Answers that stayed text, because no scale of the map has their wordings."""
    texts: tuple[str, ...]
    """Up to five of those wordings."""


class LeftQuestion(_Row):
    """A question whose answers were kept in ``metadata.ratings`` and became no label, and why."""

    level: Level
    question: str
    reason: str
    n: int


class SurveyReport(_Row):
    """How one file's survey was read."""

    map: str
    """The survey map's path, or ``built-in``."""
    mapped: tuple[MappedQuestion, ...]
    left: tuple[LeftQuestion, ...]
