"""How surprised a local model is by what people said: bits a character, which compare across tokenizers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from convsim._async import run_to_its_end
from convsim._text import one_line
from convsim.errors import InputError, ModelError
from convsim.evaluation.probing.document import Words
from convsim.evaluation.probing.learning import has_learned
from convsim.evaluation.probing.places import Place
from convsim.schema import ChatMessage, ChatModel
from convsim.schema.conversation import LearnedFrom
from convsim.seeds import generator
from convsim.shoppers import SFT, Prompted
from convsim.shoppers.finetuned.script import SAY
from convsim.shoppers.finetuned.script import asked as asked_of_trained
from convsim.shoppers.finetuned.trained import SHOPPER_FILE
from convsim.stats.forecasts import Drawn, estimate_of

MAX_CHARACTERS = 4_000
"""Of a message that is scored."""


@runtime_checkable
class Scorer(Protocol):
    """A model in this process that says how likely a text is."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    async def surprise(
        self, asked: Sequence[ChatMessage] | str, said: str, *, opening: str = ""
    ) -> tuple[float, int]:
        """Return how surprising an answer is, in bits, and how many tokens it has."""
        ...


@dataclass(frozen=True)
class Scoring:
    """A model with the prompts of the shopper that it would be: a trained one's own, else the prompted one's."""

    model: Scorer
    shopper: Prompted | SFT

    @classmethod
    def of(cls, model: ChatModel, *, domain: str | None) -> Scoring:
        """Take a model for what it is.

        Raises:
            InputError: It cannot say how likely a text is, as models behind a server cannot.
        """
        if not isinstance(model, Scorer):
            raise InputError(
                f"the model for words, {model.name}: cannot say how likely a text is; take a model in this process: "
                "embedded, or the folder of one"
            )
        folder = Path(getattr(model, "path", ""))
        trained = (folder / SHOPPER_FILE).is_file()
        return cls(model, SFT(model) if trained else Prompted(model, domain=domain))  # type: ignore[arg-type]

    @property
    def learned_from(self) -> LearnedFrom | None:
        """What the model was trained on, where that is known."""
        return self.shopper.learned_from

    async def bits(self, place: Place) -> tuple[float, int]:
        """Return how surprising the person's words are at a place, in bits, and their tokens."""
        assert place.message is not None
        said = place.message.content[:MAX_CHARACTERS]
        if isinstance(self.shopper, SFT):
            asked = asked_of_trained(place.prefix, place.persona, n_items=self.shopper.trained.n_items)
            return await self.model.surprise(asked, said, opening=SAY)
        words = " ".join(said.split())
        return await self.model.surprise(self.shopper.asked(place.prefix, place.persona), words)


def words_of(
    places: Sequence[Place],
    scoring: Scoring,
    *,
    sha256: str | None,
    allow_overlap: bool,
    concurrency: int,
    seed: int,
) -> tuple[tuple[Words, ...], str]:
    """Score people's words where they went on, accepted or left with some; by outcome, and why anything is lacking."""
    said = [place for place in places if place.message is not None and place.message.content.strip()]
    free = [
        place
        for place in said
        if allow_overlap or not has_learned(scoring.learned_from, place.conversation, sha256)
    ]
    bits, problems = run_to_its_end(lambda: _all(free, scoring, concurrency))
    scored = [(place, found) for place, found in zip(free, bits, strict=True) if found is not None]
    lacking = []
    if len(free) < len(said):
        lacking.append(f"{len(said) - len(free)} messages are left out, since the model learned from them")
    if len(scored) < len(free):
        lacking.append(f"{len(free) - len(scored)} messages could not be scored ({problems[0]})")
    reason = "; ".join(lacking) if said else "people said nothing at these places"
    return tuple(_by_outcome(scored, seed)), reason


async def _all(
    places: Sequence[Place], scoring: Scoring, concurrency: int
) -> tuple[list[tuple[float, int] | None], list[str]]:
    limit = asyncio.Semaphore(concurrency)
    problems: list[str] = []

    async def one(place: Place) -> tuple[float, int] | None:
        async with limit:
            try:
                return await scoring.bits(place)
            except ModelError as error:
                problems.append(one_line(error))
                return None

    return list(await asyncio.gather(*map(one, places))), problems


def _by_outcome(scored: Sequence[tuple[Place, tuple[float, int]]], seed: int) -> Iterator[Words]:
    for outcome in ("all", "accepted", "left", "neither"):
        kept = [(place, found) for place, found in scored if outcome in ("all", place.outcome)]
        if not kept:
            continue
        number: dict[str, int] = {}
        units = np.asarray([number.setdefault(place.unit, len(number)) for place, _ in kept], np.int64)
        bits = np.asarray([found[0] for _, found in kept])
        tokens = np.asarray([found[1] for _, found in kept], np.float64)
        texts = [place.message.content[:MAX_CHARACTERS] for place, _ in kept if place.message is not None]
        characters = np.asarray([len(text) for text in texts], np.float64)
        drawn = Drawn.of(units, generator(seed, "probe", "words", outcome))
        yield Words(
            outcome=outcome,
            n_messages=len(kept),
            n_units=len(number),
            n_characters=int(characters.sum()),
            n_tokens=int(tokens.sum()),
            bits_per_character=estimate_of(drawn.ratio(bits, characters)),
            bits_per_token=estimate_of(drawn.ratio(bits, tokens)),
        )
