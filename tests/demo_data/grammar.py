"""A book of phrases: rules with alternatives and slots, expanded by seeded draws."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.demo_data.draws import Draws

PHRASES = Path(__file__).parent / "phrases"
CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{([\w']+)\}")
FOR_ALL = ".any"


@dataclass(frozen=True)
class PhraseBook:
    """Rules by dotted name; the last part of a name may be a variant, such as a style."""

    rules: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, name: str) -> PhraseBook:
        """Read the phrase file of that name."""
        with (PHRASES / f"{name}.toml").open("rb") as file:
            found = _rules(tomllib.load(file))
            return cls({rule.removesuffix(FOR_ALL): tuple(phrases) for rule, phrases in found})

    def say(self, rule: str, slots: Mapping[str, str], draws: Draws, *, variant: str = "") -> str:
        """Expand ``rule.variant``, or ``rule`` where there is no such variant."""
        phrase = draws.pick(self.rules.get(f"{rule}.{variant}") or self.rules[rule])
        while choice := CHOICE.search(phrase):
            phrase = phrase[: choice.start()] + draws.pick(choice[1].split("|")) + phrase[choice.end() :]
        return " ".join(SLOT.sub(lambda slot: slots[slot[1]], phrase).split())


def _rules(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, list[str]]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _rules(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield f"{prefix}{name}", value
