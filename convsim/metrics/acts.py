"""Metrics of dialogue acts: how often each is done, and when a recommendation is first accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from convsim.schema import Columns, LabelOrigin, Metric
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray

ACTS = "acts"
"""The label that holds a message's acts, a list of names."""
ACCEPT, REJECT = "accept_recommendation", "reject_recommendation"
MAX_ACTS = 50
"""The most acts that one message, and one comparison, may have."""
SOURCE = "Meshi et al. (2026), ConvApparel, arXiv 2602.16938: dialogue acts; labels by {}"

OfActs = Callable[[Sequence[Sequence[str]]], float]
"""Maps the acts of each labelled user message of a conversation to its value."""


def act_metrics(origin: LabelOrigin, acts: Sequence[str]) -> Iterator[Metric]:
    """Make the metrics of the acts that occur on either side.

    Args:
        origin: Who gave the labels.
        acts: The acts' names.
    """
    for act in acts[:MAX_ACTS]:
        yield _metric(
            origin, f"act_{act}", "share of messages", f"share of messages that are {act}", _share_of(act)
        )
    for act, name in ((ACCEPT, "accepts"), (REJECT, "rejects")):
        if act in acts:
            over = f"whether any message is {act}"
            yield _metric(origin, f"act_{name}_any", "share of conversations", over, _any_of(act))
    if ACCEPT in acts:
        over = f"number of the first message that is {ACCEPT}, from 1; undefined where none is"
        yield _metric(origin, "act_first_acceptance", "messages", over, _first_acceptance)


def acts_of(value: object) -> list[str] | None:
    """Read a label's value as a list of acts; None where it is none."""
    if not isinstance(value, list) or len(value) > MAX_ACTS:
        return None
    names = [name for name in value if isinstance(name, str)]
    return names if len(names) == len(value) else None


def acts_by_message(conversation: Conversation, origin: LabelOrigin) -> list[list[str]]:
    """List the acts of each user message that ``origin`` labelled, in order."""
    listed = []
    for message in conversation.user_messages:
        for label in message.labels.get(ACTS, ()):
            if label.source == origin.source and (acts := acts_of(label.value)) is not None:
                listed.append(acts)
    return listed


def _metric(origin: LabelOrigin, name: str, unit: str, over: str, of: OfActs) -> Metric:
    return Metric(
        name=name,
        unit=unit,
        level="turn" if unit == "share of messages" else "conversation",
        description=f"the acts of the user's messages: {over}, as labelled by {origin}.",
        source=SOURCE.format(origin.source),
        measure=partial(_measure, origin=origin, of=of),
        label=origin,
    )


def _measure(columns: Columns, *, origin: LabelOrigin, of: OfActs) -> FloatArray:
    import numpy as np

    listed = (acts_by_message(conversation, origin) for conversation in columns.conversations)
    return np.fromiter((of(acts) if acts else float("nan") for acts in listed), np.float64, columns.n)


def _share_of(act: str) -> OfActs:
    return lambda listed: sum(act in acts for acts in listed) / len(listed)


def _any_of(act: str) -> OfActs:
    return lambda listed: float(any(act in acts for acts in listed))


def _first_acceptance(listed: Sequence[Sequence[str]]) -> float:
    return next((float(place) for place, acts in enumerate(listed, start=1) if ACCEPT in acts), float("nan"))
