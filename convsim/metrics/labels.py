"""Metrics read from labels: what somebody said a user felt, one number a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from convsim.contracts import Columns, LabelOrigin, Metric, ratio
from convsim.conversation import Conversation, Labels
from convsim.metrics.catalogue import METRICS

if TYPE_CHECKING:
    from convsim.contracts.columns import FloatArray

Key = tuple[str, Literal["message", "conversation"]]
PREFERRED = ("self", "third_party")
"""Whose label is taken where several carry a name: the participant's own, another person's, then by name."""
MAX_LABEL_METRICS = 100
"""The most names that are read; what a file has beyond is no experience of a user."""


def label_metrics(conversations: Sequence[Conversation]) -> dict[str, Metric]:
    """Make one metric of each numeric label of conversations and of user messages, each by its preferred source."""
    return {name_of(key): _metric(key, origins[0]) for key, origins in find_origins(conversations).items()}


def common_label_metrics(
    real: Sequence[Conversation], simulated: Sequence[Conversation]
) -> tuple[dict[str, Metric], dict[str, Metric]]:
    """Make each side's label metrics, by the same source and scale on both sides wherever they share one.

    A name that both sides label, but never by the same source on the same scale, gives each side its own metric: their
    ``label`` differs, and validators refuse to compare them.
    """
    found = find_origins(real), find_origins(simulated)
    sides: tuple[dict[str, Metric], dict[str, Metric]] = {}, {}
    for key in dict.fromkeys([*found[0], *found[1]]):
        here, there = found[0].get(key, ()), found[1].get(key, ())
        shared = [origin for origin in here if origin in there]
        for number, origin in enumerate(shared):
            name = name_of(key) if not number else f"{name_of(key)}@{origin.source}"
            for side in sides:
                side[name] = _metric(key, origin, name=name)
        if not shared:
            for side, origins in zip(sides, (here, there), strict=True):
                if origins:
                    side[name_of(key)] = _metric(key, origins[0])
    return sides


def find_origins(conversations: Iterable[Conversation]) -> dict[Key, tuple[LabelOrigin, ...]]:
    """Find who labelled what with numbers, and on which scale; the preferred source first."""
    seen: dict[LabelOrigin, None] = {}
    for conversation in conversations:
        _note(seen, conversation.labels, "conversation")
        for message in conversation.user_messages:
            if message.labels:
                _note(seen, message.labels, "message")
    grouped: dict[Key, list[LabelOrigin]] = {}
    for origin in sorted(seen, key=_preference):
        grouped.setdefault((origin.name, origin.level), []).append(origin)
    return {key: tuple(origins) for key, origins in list(grouped.items())[:MAX_LABEL_METRICS]}


def name_of(key: Key) -> str:
    """Name the metric of a label: ``satisfaction`` for the session's, ``satisfaction_by_turn`` for the turns'."""
    label, level = key
    name = label if level == "conversation" else f"{label}_by_turn"
    return f"label_{name}" if name in METRICS else name


def _note(seen: dict[LabelOrigin, None], labels: Labels, level: Literal["message", "conversation"]) -> None:
    for name, given in labels.items():
        for label in given:
            if _number(label.value) is not None:
                seen[LabelOrigin(name, level, label.source, label.scale)] = None


def _preference(origin: LabelOrigin) -> tuple[object, ...]:
    rank = PREFERRED.index(origin.source) if origin.source in PREFERRED else len(PREFERRED)
    return (origin.level, origin.name, rank, origin.source, origin.scale or ())


def _metric(key: Key, origin: LabelOrigin, *, name: str | None = None) -> Metric:
    where = "of the whole conversation" if origin.level == "conversation" else "mean over the user's messages"
    return Metric(
        name=name or name_of(key),
        unit=f"points of {origin.scale[0]:g} to {origin.scale[1]:g}" if origin.scale else "points",
        level="conversation" if origin.level == "conversation" else "turn",
        description=f"the label {origin.name!r}, {where}, as given by {origin}; undefined without it.",
        source=f"labels by {origin.source}",
        measure=partial(_measure, origin=origin),
        label=origin,
    )


def _measure(columns: Columns, *, origin: LabelOrigin) -> FloatArray:
    import numpy as np

    sums, counts = np.zeros(columns.n), np.zeros(columns.n)
    for row, conversation in enumerate(columns.conversations):
        labelled = [conversation.labels]
        if origin.level == "message":
            labelled = [message.labels for message in conversation.user_messages]
        for labels in labelled:
            value = _value(labels, origin)
            if value is not None:
                sums[row] += value
                counts[row] += 1
    return ratio(sums, counts)


def _value(labels: Labels, origin: LabelOrigin) -> float | None:
    for label in labels.get(origin.name, ()):
        if label.source == origin.source and label.scale == origin.scale:
            return _number(label.value)
    return None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
