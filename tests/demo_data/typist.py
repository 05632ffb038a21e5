"""How a stand-in person types: capitals, stops, apostrophes, short forms and slips."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from tests.demo_data.draws import Draws
from tests.demo_data.grammar import PHRASES

SENTENCE_START = re.compile(r"(^|[.?!] +)([a-z])")
LONE_I = re.compile(r"\bi\b")


class Typing(BaseModel):
    """How a population types; every number is a share, from 0 to 1.

    The first four are of people, the rest of what those people do: of messages, of places where it applies,
    and ``slips`` of words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    careful: float
    drops_apostrophes: float
    drops_commas: float
    shortens: float
    stops: float
    drops_question_marks: float
    misspells: float
    slips: float


@dataclass(frozen=True)
class Keys:
    """The slips that hands make: short forms, wrong spellings and neighboring keys."""

    short: dict[str, str]
    wrong: dict[str, str]
    near: dict[str, str]

    @classmethod
    def read(cls) -> Keys:
        """Read the project's file of slips."""
        return cls(**tomllib.loads((PHRASES / "typing.toml").read_text(encoding="utf-8")))


class Typist:
    """One person at a keyboard, with habits that last for the whole conversation."""

    def __init__(self, typing: Typing, keys: Keys, draws: Draws) -> None:
        self.typing, self.keys, self.draws = typing, keys, draws
        self.careful = draws.chance(typing.careful)
        self.drops_apostrophes = draws.chance(typing.drops_apostrophes)
        self.drops_commas = draws.chance(typing.drops_commas)
        self.shortens = draws.chance(typing.shortens)
        self.slips = typing.slips * 2 * draws.unit()

    def type(self, text: str) -> str:
        """Type carefully spelled ``text`` as this person would."""
        if self.shortens:
            text = self._swap(text, self.keys.short, 0.6)
        text = self._swap(text, self.keys.wrong, self.typing.misspells)
        text = " ".join(self._slip(word) for word in text.split(" "))
        if self.drops_apostrophes:
            text = text.replace("'", "")
        if self.drops_commas:
            text = text.replace(",", "")
        if text.endswith("?") and self.draws.chance(self.typing.drops_question_marks):
            text = text.rstrip("?") or text
        if text and text[-1] not in ".?!" and self.draws.chance(self.typing.stops):
            text += "."
        if self.careful:
            text = SENTENCE_START.sub(lambda start: start[1] + start[2].upper(), LONE_I.sub("I", text))
        return text

    def _swap(self, text: str, pairs: dict[str, str], share: float) -> str:
        for careful, hurried in pairs.items():
            if careful in text and self.draws.chance(share):
                text = re.sub(rf"\b{re.escape(careful)}\b", hurried, text)
        return text

    def _slip(self, word: str) -> str:
        if len(word) < 4 or not word.isalpha() or not self.draws.chance(self.slips):
            return word
        place = 1 + self.draws.below(len(word) - 2)
        before, letter, after = word[:place], word[place], word[place + 1 :]
        slipped = {
            "swap": before + after[0] + letter + after[1:],
            "drop": before + after,
            "double": before + letter + letter + after,
            "near": before + self.draws.pick(self.keys.near.get(letter.lower(), letter)) + after,
        }
        return slipped[self.draws.weighted({"swap": 3, "drop": 3, "double": 1, "near": 3})]
