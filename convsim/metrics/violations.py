"""Metrics of what a user does when nothing that is shown meets what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import nan
from typing import TYPE_CHECKING

from convsim.metrics.items import PRICE, holds_of, limits_of
from convsim.metrics.language import NeedsLanguage
from convsim.schema import Columns, Metric
from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.persona import Constraint
from convsim.text.language import ENGLISH
from convsim.text.lexicons import ALL
from convsim.text.phrases import Finds
from convsim.text.stated import Stated, asks_for_less, sets_aside, stated_in
from convsim.text.words import words

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

COLORS = ("color", "colour", "colors", "colours")
"""Keys of an item's attributes that hold its color."""


def breaks(items: Sequence[Item], limits: Sequence[Constraint], wanted: frozenset[str]) -> bool:
    """Tell whether every item shown breaks something that was asked for, as far as the items say.

    Args:
        items: What one message shows.
        limits: What must not hold of an item.
        wanted: The colors asked for, any of which suits; all do where there are none.
    """
    return bool(items) and all(
        any(holds_of(item, limit) for limit in limits) or _in_another_color(item, wanted) for item in items
    )


def _in_another_color(item: Item, wanted: frozenset[str]) -> bool:
    if not wanted:
        return False
    values = [item.attributes[key] for key in COLORS if key in item.attributes]
    flat = [part for value in values for part in (value if isinstance(value, list) else [value])]
    said = " ".join(" ".join(words(part)) for part in flat if isinstance(part, str))
    return bool(said) and not any(f" {color} " in f" {said} " for color in wanted)


def latency(conversation: Conversation, complains: Finds | None) -> float:
    """Return after how many messages the user first reacts to the first reply that breaks what was asked for.

    1 if the next message does; one more than the messages left where none does; NaN where no reply does, or where it
    was the last word.
    """
    limits = limits_of(conversation.persona) if conversation.persona else []
    wanted: frozenset[str] = frozenset()
    broken, waited = False, 0
    for message in conversation.messages:
        if message.role == "user":
            said = stated_in(message.content)
            if broken:
                waited += 1
                if _reacts(message, said, complains):
                    return float(waited)
            limits = [*limits, *_above(said)]
            wanted = said.colors or wanted
        elif message.role == "assistant" and not broken:
            broken = breaks(message.items, limits, wanted)
    return float(waited + 1) if waited else nan


def _above(said: Stated) -> Iterator[Constraint]:
    if said.budget.ceiling is not None:
        yield Constraint(attribute=PRICE, op=">", value=said.budget.ceiling)


def _reacts(message: Message, said: Stated, complains: Finds | None) -> bool:
    if message.action == "leave" or said or sets_aside(message.content) or asks_for_less(message.content):
        return True
    return complains is not None and complains(message.content, words(message.content))


def _measure_reaction_latency(columns: Columns) -> FloatArray:
    import numpy as np

    complains = columns.lexicon.complaints(columns.language.of_lists).get(ALL)
    values = (latency(conversation, complains) for conversation in columns.conversations)
    return np.fromiter(values, np.float64, columns.n)


REACTION_LATENCY = Metric(
    name="reaction_latency",
    unit="messages",
    level="conversation",
    description=(
        "Messages until the user first reacts to the first reply of which every item breaks what was asked for: a "
        "dealbreaker or budget of the persona, a price limit or a color that the user stated. A reaction states a wish "
        "about price, size or color, sets aside what was shown, complains (lexicon/en/complaints.toml) or leaves. 1 if "
        "the next message reacts, one more than the messages left if none does; undefined where no reply breaks "
        "anything, or items do not say."
    ),
    source="convsim: people who are shown the wrong thing say so.",
    measure=_measure_reaction_latency,
    undefined_for=NeedsLanguage((ENGLISH,)),
    moved_by_agent="another agent breaks other wishes",
    judged_by="coherence",
)
