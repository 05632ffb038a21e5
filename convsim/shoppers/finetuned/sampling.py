"""Chooses how a trained shopper's words are drawn: by their number and their variety, as people's are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Annotated

from pydantic import Field

from convsim.errors import ModelError
from convsim.schema import ChatMessage, OpeningModel
from convsim.schema.conversation import Conversation
from convsim.schema.record import Count, Number, Record, Text
from convsim.seeds import child_seed, generator
from convsim.shoppers.finetuned.script import SAY, script
from convsim.shoppers.finetuned.trained import Trained
from convsim.text.words import words

SETTINGS = ((1.0, 1.0), (1.0, 0.95), (0.85, 1.0), (1.0, 0.9), (0.85, 0.95), (0.7, 1.0))
"""Temperatures and nuclei to try, from the least truncation to the most.

A low temperature and a small nucleus each take away the unlikely; the corners that have both add cost alone.
"""
MIN_PLACES = 10
"""With fewer turns than this, a distance between two settings is chance."""

Share = Annotated[Number, Field(ge=0, le=1)]


class Tried(Record):
    """One setting, and how far what it said is from what people said at the same places.

    ``length_distance`` is the Kolmogorov-Smirnov distance of words a turn, ``variety_distance`` the difference of
    the type-token ratios. ``generated`` counts the turns that the model answered.
    """

    temperature: Number
    top_p: Number
    length_distance: Share
    variety_distance: Share
    generated: Count


class Decoding(Record):
    """How the words are drawn, and what that was chosen on; ``reason`` says why nothing was chosen."""

    temperature: Number = 1.0
    top_p: Number = 1.0
    places: Count = 0
    """Turns of people that every setting was to say in its own words."""
    generated: Count = 0
    """Turns that the model answered, over all settings."""
    tried: tuple[Tried, ...] = ()
    reason: Text | None = None


@dataclass(frozen=True)
class Place:
    """A turn of a person's: what the model is asked for it, and the words that the person found."""

    prompt: Sequence[ChatMessage]
    said: list[str]
    seed: int


async def choose_decoding(
    model: OpeningModel, held_out: Sequence[Conversation], trained: Trained, *, n: int, seed: int
) -> Decoding:
    """Choose the temperature and nucleus whose turns are as long and as varied as those of held-out people.

    Each setting says the same ``n`` turns, drawn at random, with the same seeds; the smallest sum of both distances
    wins, and of equal ones that which truncates least. ``n`` is for each setting: two samples of the same people's
    turns are .38 apart in length on average at 7 turns each, which is 40 shared out among six, and .16 at 40 (5 % of
    them .57 and .28 or more), so that 40 in all would leave the choice to chance. An answer that is cut off counts
    with the words it has, one that fails with none; nothing is asked twice. Turns that end a conversation are left
    out, as they may have no words, and so are those whose prompt is longer than any learned from.

    Returns:
        The setting chosen; temperature 1 and the whole distribution, with the reason, where there are fewer than
        10 such turns or the model answers none.

    Raises:
        InputError: The model cannot be loaded.
    """
    places = await _places(model, held_out, trained, n=n, seed=seed)
    if len(places) < MIN_PLACES:
        wanted = f"at least {MIN_PLACES} turns of held-out users are needed to calibrate sampling"
        return Decoding(places=len(places), reason=f"{wanted}, but there are {len(places)}")
    tried = [await _try(model, places, trained, temperature, top_p) for temperature, top_p in SETTINGS]
    generated = sum(one.generated for one in tried)
    if not generated:
        return Decoding(places=len(places), reason=f"{model.name} answered none of {len(places)} turns")
    best = min(tried, key=lambda one: one.length_distance + one.variety_distance)
    return Decoding(
        temperature=best.temperature,
        top_p=best.top_p,
        places=len(places),
        generated=generated,
        tried=tuple(tried),
    )


async def _places(
    model: OpeningModel, held_out: Sequence[Conversation], trained: Trained, *, n: int, seed: int
) -> list[Place]:
    turns = list(chain.from_iterable(_turns(conversation, trained.n_items) for conversation in held_out))
    places: list[Place] = []
    for index in generator(seed, "decoding").permutation(len(turns)).tolist():
        prompt, said = turns[index]
        if len(places) == n:
            break
        if await model.count_tokens(prompt) <= trained.max_prompt_tokens:
            places.append(Place(prompt, words(said), child_seed(seed, "decoding", index)))
    return places


def _turns(conversation: Conversation, n_items: int) -> Iterator[tuple[Sequence[ChatMessage], str]]:
    """Yield what the model is asked before each turn that says something, and what was said."""
    learned = script(conversation, n_items=n_items)
    for place, opening in learned.openings.items():
        if opening == SAY:
            yield learned.messages[:place], learned.messages[place].content.removeprefix(SAY)


async def _try(
    model: OpeningModel, places: Sequence[Place], trained: Trained, temperature: float, top_p: float
) -> Tried:
    async def answer(place: Place) -> str | None:
        try:
            said = await model.complete_opened(
                place.prompt, SAY, max_tokens=trained.max_tokens,
                temperature=temperature, top_p=top_p, seed=place.seed,
            )  # fmt: skip
        except ModelError:
            return None
        return said.text

    answers = await asyncio.gather(*(answer(place) for place in places))
    simulated = [words(answer or "") for answer in answers]
    real = [place.said for place in places]
    return Tried(
        temperature=temperature,
        top_p=top_p,
        length_distance=_length_distance(real, simulated),
        variety_distance=_variety_distance(real, simulated),
        generated=sum(answer is not None for answer in answers),
    )


def _length_distance(real: Sequence[Sequence[str]], simulated: Sequence[Sequence[str]]) -> float:
    from scipy.stats import ks_2samp

    people, model = ([len(turn) for turn in turns] for turns in (real, simulated))
    return float(ks_2samp(people, model, method="asymp").statistic)


def _variety_distance(real: Sequence[Sequence[str]], simulated: Sequence[Sequence[str]]) -> float:
    """Difference of type-token ratios, over as many words of each side: the ratio falls as a text grows.

    A side without any word is as far away as can be.
    """
    pools = [list(chain.from_iterable(turns)) for turns in (real, simulated)]
    count = min(map(len, pools))
    if not count:
        return 1.0
    people, model = (len(set(pool[:count])) / count for pool in pools)
    return abs(people - model)
