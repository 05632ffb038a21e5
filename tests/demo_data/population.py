"""How a population of stand-in shoppers behaves, read from ``populations.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tests.demo_data.typist import Typing

POPULATIONS = Path(__file__).parent / "populations.toml"


class Population(BaseModel):
    """Settings of one population; ``populations.toml`` says what each number is."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    phrases: str
    styles: dict[str, float]
    opening_facets: dict[str, float]
    greets: float
    prefaces: float
    adds_a_wish: float
    tags: float
    thanks: float
    buying: tuple[float, ...]
    leaving: float
    fading: float
    silent: float
    reacts: float
    max_turns: int
    moves: dict[str, float]
    typing: Typing

    @classmethod
    def read(cls, name: str) -> Population:
        """Read the population of that name."""
        return cls.model_validate(tomllib.loads(POPULATIONS.read_text(encoding="utf-8"))[name])
