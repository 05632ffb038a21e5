"""Which labels two sides can be compared by: what somebody said a user did or felt, one number a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from convsim.metrics.acts import ACTS, act_metrics, acts_of
from convsim.metrics.catalogue import METRICS
from convsim.metrics.experience import LabelLevel, experience_metrics, number_of
from convsim.schema import LabelOrigin, Metric
from convsim.schema.conversation import Conversation, Labels

Key = tuple[str, LabelLevel]
PREFERRED = ("self", "third_party")
"""Whose label is taken where several carry a name: the participant's own, another person's, then by name."""
MAX_LABELS = 100
"""The most label names that are read; what a file has beyond is no experience of a user."""


def label_metrics(conversations: Sequence[Conversation]) -> dict[str, Metric]:
    """Make the metrics of each label of conversations and of user messages, each by its preferred source."""
    acts = act_names(conversations)
    return {
        metric.name: metric
        for origins in find_origins(conversations).values()
        for metric in _metrics(origins[0], acts)
    }


def common_label_metrics(
    real: Sequence[Conversation], simulated: Sequence[Conversation]
) -> tuple[dict[str, Metric], dict[str, Metric]]:
    """Make each side's label metrics, by the same source and scale on both sides wherever they share one.

    A name that both sides label, but never by the same source on the same scale, gives each side its own metric: their
    ``label`` differs, and validators refuse to compare them.
    """
    acts = sorted({*act_names(real), *act_names(simulated)})
    found = find_origins(real), find_origins(simulated)
    sides: tuple[dict[str, Metric], dict[str, Metric]] = {}, {}
    for key in dict.fromkeys([*found[0], *found[1]]):
        here, there = found[0].get(key, ()), found[1].get(key, ())
        shared = [origin for origin in here if origin in there]
        for number, origin in enumerate(shared):
            made = {m.name: m for m in _metrics(origin, acts, suffix=f"@{origin.source}" if number else "")}
            for side in sides:
                side.update(made)
        if not shared:
            for side, origins in zip(sides, (here, there), strict=True):
                side.update({m.name: m for origin in origins[:1] for m in _metrics(origin, acts)})
    return sides


def find_origins(conversations: Iterable[Conversation]) -> dict[Key, tuple[LabelOrigin, ...]]:
    """Find who labelled what, and on which scale; the preferred source first."""
    seen: dict[LabelOrigin, None] = {}
    for conversation in conversations:
        _note(seen, conversation.labels, "conversation")
        for message in conversation.user_messages:
            if message.labels:
                _note(seen, message.labels, "message")
    grouped: dict[Key, list[LabelOrigin]] = {}
    for origin in sorted(seen, key=_preference):
        grouped.setdefault((origin.name, origin.level), []).append(origin)
    return {key: tuple(origins) for key, origins in list(grouped.items())[:MAX_LABELS]}


def _metrics(origin: LabelOrigin, acts: Sequence[str], *, suffix: str = "") -> list[Metric]:
    made = act_metrics(origin, acts) if origin.name == ACTS else experience_metrics(origin)
    return [_renamed(metric, suffix) for metric in made]


def _renamed(metric: Metric, suffix: str) -> Metric:
    name = f"label_{metric.name}" if metric.name in METRICS else metric.name
    return replace(metric, name=name + suffix)


def _note(seen: dict[LabelOrigin, None], labels: Labels, level: LabelLevel) -> None:
    for name, given in labels.items():
        for label in given:
            readable = number_of(label.value) is not None
            if name == ACTS:
                readable = level == "message" and acts_of(label.value) is not None
            if readable:
                seen[LabelOrigin(name, level, label.source, label.scale)] = None


def _preference(origin: LabelOrigin) -> tuple[object, ...]:
    rank = PREFERRED.index(origin.source) if origin.source in PREFERRED else len(PREFERRED)
    return (origin.level, origin.name, rank, origin.source, origin.scale or ())


def act_names(conversations: Iterable[Conversation]) -> list[str]:
    """Name every act that a label of a user message holds, whoever gave it."""
    return sorted(
        {
            act
            for conversation in conversations
            for message in conversation.user_messages
            for label in message.labels.get(ACTS, ())
            for act in acts_of(label.value) or ()
        }
    )
