"""Metrics of experience labels: of the session, of its turns on average, and how satisfaction goes on over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal

from convsim.schema import Columns, LabelOrigin, Metric
from convsim.schema.conversation import Conversation, Labels

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray

LabelLevel = Literal["message", "conversation"]
OfConversation = Callable[[Conversation, LabelOrigin], float]
TRAJECTORY = "satisfaction"
"""The label whose course over the turns is a metric of its own."""


def experience_metrics(origin: LabelOrigin) -> Iterator[Metric]:
    """Make the metrics of one numeric label: ``NAME`` of the session, or ``NAME_by_turn`` and a slope of the turns."""
    unit = f"points of {origin.scale[0]:g} to {origin.scale[1]:g}" if origin.scale else "points"
    if origin.level == "conversation":
        yield _metric(origin, origin.name, unit, "of the whole conversation", _session)
        return
    yield _metric(origin, f"{origin.name}_by_turn", unit, "mean over the user's messages", _mean)
    if origin.name == TRAJECTORY:
        over = "least-squares slope over the user's messages; undefined with fewer than two of them"
        yield _metric(origin, f"{origin.name}_slope", f"{unit} a message", over, _slope)


def number_of(value: object) -> float | None:
    """Read a label's value as a number; yes and no are 1 and 0, and all else is none."""
    return float(value) if isinstance(value, int | float) else None


def _metric(origin: LabelOrigin, name: str, unit: str, where: str, of: OfConversation) -> Metric:
    return Metric(
        name=name,
        unit=unit,
        level="conversation" if origin.level == "conversation" else "turn",
        description=f"the label {origin.name!r}, {where}, as given by {origin}; undefined without it.",
        source=f"labels by {origin.source}",
        measure=partial(_measure, origin=origin, of=of),
        label=origin,
    )


def _measure(columns: Columns, *, origin: LabelOrigin, of: OfConversation) -> FloatArray:
    import numpy as np

    values = (of(conversation, origin) for conversation in columns.conversations)
    return np.fromiter(values, np.float64, columns.n)


def _session(conversation: Conversation, origin: LabelOrigin) -> float:
    value = _value(conversation.labels, origin)
    return float("nan") if value is None else value


def _mean(conversation: Conversation, origin: LabelOrigin) -> float:
    values = [value for _, value in _course(conversation, origin)]
    return sum(values) / len(values) if values else float("nan")


def _slope(conversation: Conversation, origin: LabelOrigin) -> float:
    course = _course(conversation, origin)
    n = len(course)
    if n < 2:
        return float("nan")
    middle = sum(place for place, _ in course) / n
    spread = sum((place - middle) ** 2 for place, _ in course)
    return sum((place - middle) * value for place, value in course) / spread


def _course(conversation: Conversation, origin: LabelOrigin) -> list[tuple[int, float]]:
    """List the labelled user messages: the number of each among them, and its value."""
    numbered = enumerate(conversation.user_messages)
    return [
        (place, value)
        for place, message in numbered
        if message.labels and (value := _value(message.labels, origin)) is not None
    ]


def _value(labels: Labels, origin: LabelOrigin) -> float | None:
    for label in labels.get(origin.name, ()):
        if label.source == origin.source and label.scale == origin.scale:
            return number_of(label.value)
    return None
