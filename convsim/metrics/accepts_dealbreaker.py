"""Metric: whether the user takes what their persona would never take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import nan
from typing import TYPE_CHECKING

from convsim.metrics.constraints import PRICE, holds_of, number
from convsim.schema import Columns, Metric
from convsim.schema.conversation import Conversation, Item
from convsim.schema.persona import Constraint, Persona

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray


def _measure(columns: Columns) -> FloatArray:
    import numpy as np

    return np.fromiter(map(_breaks, columns.conversations), np.float64, columns.n)


def _breaks(conversation: Conversation) -> float:
    limits = _limits(conversation.persona) if conversation.persona else []
    found = [holds_of(item, limit) for item in _accepted(conversation) for limit in limits]
    told = [holds for holds in found if holds is not None]
    return float(any(told)) if told else nan


def _limits(persona: Persona) -> Sequence[Constraint]:
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
    unit="share of conversations",
    level="conversation",
    description=(
        "1 if an accepted item is one that the persona would never take, 0 if none is. A dealbreaker states what must "
        "not hold of an item ('will not take anything with material = wool'), and a numeric budget that the price "
        "must not lie above it. An attribute that the item lacks breaks nothing, but is no evidence that nothing was "
        "broken either: undefined where no dealbreaker or budget could be checked, without a persona, and where no "
        "item that the agent had shown was accepted."
    ),
    source="convsim: a hard relation, which must hold whatever the agent does.",
    measure=_measure,
)
