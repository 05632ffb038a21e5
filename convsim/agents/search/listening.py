"""What a shopper has asked for in a conversation so far; what was said last wins where it conflicts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from convsim.agents.search.clauses import Reading, read_clauses
from convsim.agents.search.vocabulary import Vocabulary
from convsim.agents.search.wishes import Facet, Judgement, Wish, Wishes
from convsim.schema.conversation import Conversation, Message
from convsim.text.constraints import Budget, budget_in, sizes_in
from convsim.text.english import english
from convsim.text.folding import phrase_in, plain_text

MAX_CHARACTERS = 4_000
"""How much of one message is read; nobody asks for shoes at greater length."""
MAX_MESSAGES = 200
"""How many of the last messages are read."""


def listen(conversation: Conversation, vocabulary: Vocabulary, prices: Mapping[str, float | None]) -> Wishes:
    """Return what the user's messages ask for; ``prices`` are the catalogue's, by id."""
    wishes = Wishes()
    for message in conversation.messages[-MAX_MESSAGES:]:
        if message.role == "assistant":
            wishes.last_shown = tuple(item.id for item in message.items)
            wishes.shown.extend(wishes.last_shown)
        elif message.role == "user":
            _hear(message, wishes, vocabulary, prices)
    return wishes


def _hear(
    message: Message, wishes: Wishes, vocabulary: Vocabulary, prices: Mapping[str, float | None]
) -> None:
    text = plain_text(message.content[:MAX_CHARACTERS])
    lower = text.lower()
    _forget(wishes, lower)
    known = [price for item in wishes.last_shown if (price := prices.get(item)) is not None]
    wishes.budget = budget_in(lower, wishes.budget, cheapest_shown=min(known, default=None))
    if any(re.search(pattern, lower) for pattern in english().asides.any):
        wishes.set_aside.update(wishes.shown)
    readings, words = read_clauses(text, vocabulary)
    wishes.words.append(words)
    _replace_kind(readings, wishes, vocabulary)
    heard: set[Facet] = set()
    if any(phrase in lower for phrase in english().adding):
        heard.update(wishes.wanted)
    for reading in readings:
        _judge(reading, wishes, heard)
    if sizes := sizes_in(text, vocabulary.sizes):
        wishes.wanted["sizes"] = tuple(Wish((size,), f"size {size.upper()}") for size in sizes)


def _judge(reading: Reading, wishes: Wishes, heard: set[Facet]) -> None:
    """Take one value in; in one message alternatives add up, a correction or later message replaces them."""
    facet, phrase = reading.mention.facet, reading.mention.phrase
    wishes.judgements.append(Judgement(facet, phrase, reading.wanted))
    before = wishes.wanted.get(facet, ())
    if reading.wanted:
        keep = facet in heard and not reading.corrects
        others = tuple(wish for wish in before if keep and wish.phrase != phrase)
        wishes.wanted[facet] = (*others, Wish(phrase, reading.said))
        heard.add(facet)
    elif left := tuple(wish for wish in before if not phrase_in(phrase, wish.phrase)):
        wishes.wanted[facet] = left
    else:
        wishes.wanted.pop(facet, None)


def _replace_kind(readings: list[Reading], wishes: Wishes, vocabulary: Vocabulary) -> None:
    """Make room for another kind or category: the old one goes, and a size goes with its category."""
    kinds = [r.mention.phrase for r in readings if r.wanted and r.mention.facet == "kind"]
    categories = [r.mention.phrase for r in readings if r.wanted and r.mention.facet == "category"]
    if not kinds and not categories:
        return
    was = _homes(wishes, vocabulary)
    if kinds:
        wishes.wanted.pop("category", None)
    elif any(r.corrects for r in readings) or not was & set(categories):
        wishes.wanted.pop("kind", None)
    now = {home for kind in kinds for home in vocabulary.homes[kind]} | set(categories)
    if was and now and not was & now:
        wishes.wanted.pop("sizes", None)


def _homes(wishes: Wishes, vocabulary: Vocabulary) -> set[tuple[str, ...]]:
    kinds = {home for wish in wishes.wanted.get("kind", ()) for home in vocabulary.homes[wish.phrase]}
    return kinds | {wish.phrase for wish in wishes.wanted.get("category", ())}


def _forget(wishes: Wishes, lower: str) -> None:
    """Drop the wishes that a message takes back: "any color is fine"."""
    for name, pattern in _forgetting():
        if re.search(pattern, lower):
            if name == "price":
                wishes.budget = Budget()
            wishes.wanted = {facet: wanted for facet, wanted in wishes.wanted.items() if facet != name}
            wishes.judgements = [judgement for judgement in wishes.judgements if judgement.facet != name]


@cache
def _forgetting() -> tuple[tuple[str, str], ...]:
    table = english().forgetting
    return tuple(
        (name, "|".join(pattern.replace("FACET", words) for pattern in table.any))
        for name, words in table.facets.items()
    )
