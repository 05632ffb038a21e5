"""Metrics of items: which shown items a user takes up, names or refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain
from math import isfinite, nan
from typing import TYPE_CHECKING

from pydantic import JsonValue

from convsim.errors import InputError
from convsim.metrics.complaints import FAULTS_COMPLAINED_OF
from convsim.metrics.language import needs_complaints, needs_list, nowhere
from convsim.metrics.proportions import left_out_if_empty
from convsim.schema import Columns, Metric
from convsim.schema.columns import Exchange
from convsim.schema.conversation import Conversation, Item
from convsim.schema.persona import Constraint, Persona
from convsim.text.words import words

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

LARGEST_NUMBER = 10**15
"""Nobody says a number beyond it, and Python refuses to write out the longest ones."""

MAX_KEPT = 200
"""Characters of a title or value whose words are kept."""


def proportion_taken_up(items: Sequence[Item], answer: Sequence[str], new: set[str]) -> float:
    """Proportion of ``items`` from which ``answer`` takes a ``new`` word that not every item of several offers.

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
    taken = new.intersection(_item_words(item.title))
    for value in attribute_texts(item.attributes):
        value_words = _item_words(value)
        if not new.isdisjoint(value_words) and f" {' '.join(value_words)} " in said:
            taken.update(new.intersection(value_words))
    return taken


def _item_words(text: str) -> Sequence[str]:
    """Return the words of a title or value; items are shown again and again, so those of short ones are kept."""
    return _kept_words(text) if len(text) <= MAX_KEPT and text.isascii() else words(text)


@lru_cache(maxsize=8_192)
def _kept_words(text: str) -> Sequence[str]:
    return tuple(words(text))


def attribute_texts(attributes: Mapping[str, JsonValue]) -> Iterator[str]:
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


def _new_words(columns: Columns, stop_words: frozenset[str]) -> Iterator[tuple[Exchange, set[str]]]:
    """Yield each exchange with the words that the user first says in its answer, stop words aside."""
    owner, heard = -1, 0
    said: set[str] = set()
    for exchange in columns.exchanges:
        conversation = int(columns.user_of[exchange.answer])
        if conversation != owner:
            owner, heard, said = conversation, int(columns.first_of[conversation]), set()
        said.update(chain.from_iterable(columns.user_words[heard : exchange.answer]))
        heard = exchange.answer
        yield exchange, set(columns.user_words[exchange.answer]) - said - stop_words


def _measure_item_uptake(columns: Columns) -> FloatArray:
    stop_words = columns.lexicon.entries("stop_words", columns.language.of_lists)
    if stop_words is None:
        return nowhere(columns)
    shares = [nan] * len(columns.user_texts)
    for exchange, new in _new_words(columns, stop_words):
        answer = columns.user_words[exchange.answer]
        if answer:
            shares[exchange.answer] = proportion_taken_up(exchange.items, answer, new)
    return columns.mean_over_user(shares)


ITEM_UPTAKE = Metric(
    name="item_uptake",
    unit="proportion of items",
    level="turn",
    description=(
        "Mean, over the user messages that follow shown items and hold a word, of the proportion of those items "
        "of which the message takes up a title word or a whole attribute value. Only words count that the "
        "user had not said before, that are no stop words (lexicon/<language>/stop_words.txt) and that, of "
        "several items, not all offer: those single none out. Pointing, as in 'the second one', takes up no "
        "word. Undefined without such a message."
    ),
    source=(
        "convsim; after lexical entrainment: Brennan and Clark (1996), Conceptual pacts and lexical choice "
        "in conversation, Journal of Experimental Psychology: Learning, Memory, and Cognition 22(6)."
    ),
    measure=_measure_item_uptake,
    undefined_for=needs_list("stop_words"),
    moved_by_agent="other items have other words to take up",
)


def mentions(fault: str) -> Metric:
    """Make the metric of how often a user mentions a fault of the agent.

    Raises:
        InputError: no phrases are known for ``fault``.
    """
    if fault not in FAULTS_COMPLAINED_OF:
        known = ", ".join(FAULTS_COMPLAINED_OF)
        raise InputError(
            f"there is no word list for complaints about the fault {fault!r}; there are some for: {known}"
        )
    return Metric(
        name=f"user_mentions_{fault}",
        unit="proportion of messages",
        level="turn",
        description=(
            "Proportion of the user's non-empty messages after the agent's first with a phrase that names the "
            f"trouble (lexicon/<language>/complaints.toml, {fault}), in English common short forms and missing "
            "apostrophes allowed; undefined without such a message. Some phrases name several faults."
        ),
        source="convsim: did the user notice, in words; the phrases are ours.",
        measure=partial(_measure_user_mentions, fault=fault),
        undefined_for=needs_complaints(fault),
    )


def _measure_user_mentions(columns: Columns, *, fault: str) -> FloatArray:
    finds = columns.lexicon.complaints(columns.language.of_lists).get(fault)
    if finds is None:
        return nowhere(columns)
    hits = left_out_if_empty(columns, map(finds, columns.user_texts, columns.user_words))
    return columns.mean_over_user(
        hit if answers else nan for hit, answers in zip(hits, _follow_the_agent(columns), strict=True)
    )


def _follow_the_agent(columns: Columns) -> Iterator[bool]:
    """Yield, for each user message, whether the agent had spoken before in its conversation."""
    for conversation in columns.conversations:
        spoken = False
        for message in conversation.messages:
            if message.role == "user":
                yield spoken
            spoken = spoken or message.role == "assistant"


MENTIONS: Mapping[str, Metric] = {
    metric.name: metric for metric in (mentions(fault) for fault in FAULTS_COMPLAINED_OF)
}


PRICE = "price"


def holds_of(item: Item, constraint: Constraint) -> bool | None:
    """Tell whether ``attribute op value`` holds of an item; None where the item does not say.

    The attribute is ``price`` or, spelled the same, a key of the item's attributes; of a list, any value may meet
    ``=``, ``<``, ``>`` and ``in``, and none may be the one of ``!=``. Numbers, also those written as text, compare as
    numbers, all else as text whatever its case. None also where ``<`` or ``>`` meets something else than numbers.
    """
    offered = _values(item, constraint.attribute)
    wanted = constraint.value if isinstance(constraint.value, tuple) else (constraint.value,)
    if not offered:
        return None
    if constraint.op in ("<", ">"):
        return _compare(offered, constraint.op, wanted)
    found = not {_plain(value) for value in offered}.isdisjoint(map(_plain, wanted))
    return not found if constraint.op == "!=" else found


def number(value: object) -> float | None:
    """Return a finite number, or one written as text; None for anything else, yes and no included."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if isfinite(read) else None


def _values(item: Item, attribute: str) -> list[JsonValue]:
    value = item.attributes.get(attribute)
    if attribute == PRICE and item.price is not None:
        value = item.price
    values = value if isinstance(value, list) else [value]
    return [part for part in values if isinstance(part, str | int | float)]


def _compare(offered: Sequence[object], op: str, wanted: Sequence[object]) -> bool | None:
    limits = [limit for limit in map(number, wanted) if limit is not None]
    numbers = [value for value in map(number, offered) if value is not None]
    if not numbers or len(limits) != 1:
        return None
    return min(numbers) < limits[0] if op == "<" else max(numbers) > limits[0]


def _plain(value: object) -> float | str:
    """Return what compares equal to every other way of writing the same value."""
    as_number = number(value)
    return " ".join(str(value).casefold().split()) if as_number is None else as_number


def _measure_accepts_dealbreaker(columns: Columns) -> FloatArray:
    import numpy as np

    return np.fromiter(map(_breaks, columns.conversations), np.float64, columns.n)


def _breaks(conversation: Conversation) -> float:
    limits = limits_of(conversation.persona) if conversation.persona else []
    found = [holds_of(item, limit) for item in _accepted(conversation) for limit in limits]
    told = [holds for holds in found if holds is not None]
    return float(any(told)) if told else nan


def limits_of(persona: Persona) -> Sequence[Constraint]:
    """Gather what must not hold of an item: the dealbreakers, and a price above the budget."""
    budget = number(persona.budget.value) if persona.budget else None
    above = [] if budget is None else [Constraint(attribute=PRICE, op=">", value=budget)]
    return [*persona.dealbreakers, *above]


def _accepted(conversation: Conversation) -> Iterator[Item]:
    """Yield the accepted items as the agent last showed them before; others cannot be looked up."""
    shown: dict[str, Item] = {}
    for message in conversation.messages:
        if message.role == "assistant":
            shown.update((item.id, item) for item in message.items)
        elif message.role == "user":
            yield from (shown[item_id] for item_id in message.accepted if item_id in shown)


ACCEPTS_DEALBREAKER = Metric(
    name="accepts_dealbreaker",
    unit="proportion of conversations",
    level="conversation",
    description=(
        "1 if an accepted item is one that the persona would never take, 0 if none is. A dealbreaker states what must "
        "not hold of an item ('will not take anything with material = wool'), and a numeric budget that the price "
        "must not lie above it. An attribute that the item lacks breaks nothing, but does not show that nothing was "
        "broken either: undefined where no dealbreaker or budget could be checked, without a persona, and where no "
        "item that the agent had shown was accepted."
    ),
    source="convsim: a hard relation, which must hold whatever the agent does.",
    measure=_measure_accepts_dealbreaker,
)
