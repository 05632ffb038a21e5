"""Metric: how much of what the agent shows the user takes up in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import nan
from typing import TYPE_CHECKING

from pydantic import JsonValue

from convsim.schema import Columns, Metric
from convsim.schema.columns import Exchange, words
from convsim.schema.conversation import Item
from convsim.text.lexicons import read_lexicon

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray

STOP_WORDS = read_lexicon("stop_words")
LARGEST_NUMBER = 10**15
"""Nobody says a number beyond it, and Python refuses to write out the longest ones."""


def share_taken_up(items: Sequence[Item], answer: Sequence[str], new: set[str]) -> float:
    """Share of ``items`` from which ``answer`` takes a ``new`` word that not every item of several offers.

    A word of a title counts by itself; an attribute value only when the answer holds all its words in a row,
    so that a long description does not offer half the language.
    """
    if not new:
        return 0.0
    said = f" {' '.join(answer)} "
    taken = [_words_taken(item, said, new) for item in items]
    offered_by_all = set.intersection(*taken) if len(taken) > 1 else set()
    return sum(not words_taken <= offered_by_all for words_taken in taken) / len(items)


def _words_taken(item: Item, said: str, new: set[str]) -> set[str]:
    taken = new.intersection(words(item.title))
    for value in _texts(item.attributes):
        value_words = words(value)
        if not new.isdisjoint(value_words) and f" {' '.join(value_words)} " in said:
            taken.update(new.intersection(value_words))
    return taken


def _texts(attributes: Mapping[str, JsonValue]) -> Iterator[str]:
    """Yield the texts and numbers among attribute values, however deep; yes and no are not said as such."""
    pending = list(attributes.values())
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER:
            yield f"{value:.15g}"


def _new_words(columns: Columns) -> Iterator[tuple[Exchange, set[str]]]:
    """Yield each exchange with the words that the user first says in its answer, stop words aside."""
    owner, heard = -1, 0
    said: set[str] = set()
    for exchange in columns.exchanges:
        conversation = int(columns.user_of[exchange.answer])
        if conversation != owner:
            owner, heard, said = conversation, int(columns.first_of[conversation]), set()
        said.update(chain.from_iterable(columns.user_words[heard : exchange.answer]))
        heard = exchange.answer
        yield exchange, set(columns.user_words[exchange.answer]) - said - STOP_WORDS


def _measure(columns: Columns) -> FloatArray:
    shares = [nan] * len(columns.user_texts)
    for exchange, new in _new_words(columns):
        answer = columns.user_words[exchange.answer]
        if answer:
            shares[exchange.answer] = share_taken_up(exchange.items, answer, new)
    return columns.mean_over_user(shares)


ITEM_UPTAKE = Metric(
    name="item_uptake",
    unit="share of items",
    level="turn",
    description=(
        "Mean, over the user messages that follow shown items and hold a word, of the share of those items "
        "of which the message takes up a title word or a whole attribute value. Only words count that the "
        "user had not said before, that are no English stop words (lexicon/stop_words.txt) and that, of "
        "several items, not all offer: those single none out. Pointing, as in 'the second one', takes up no "
        "word. Undefined without such a message."
    ),
    source=(
        "convsim; after lexical entrainment: Brennan and Clark (1996), Conceptual pacts and lexical choice "
        "in conversation, Journal of Experimental Psychology: Learning, Memory, and Cognition 22(6)."
    ),
    measure=_measure,
    moved_by_agent="other items have other words to take up",
)
