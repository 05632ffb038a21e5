"""Metrics of labels: acts and experience, as annotators gave them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from convsim.metrics.catalogue import METRICS
from convsim.schema import Columns, LabelOrigin, Metric
from convsim.schema.conversation import Conversation, Labels

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

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
        yield _metric_acts(
            origin,
            f"act_{act}",
            "proportion of messages",
            f"proportion of messages that are {act}",
            _proportion_of(act),
        )
    for act, name in ((ACCEPT, "accepts"), (REJECT, "rejects")):
        if act in acts:
            over = f"whether any message is {act}"
            yield _metric_acts(origin, f"act_{name}_any", "proportion of conversations", over, _any_of(act))
    if ACCEPT in acts:
        over = f"number of the first message that is {ACCEPT}, from 1; undefined where none is"
        yield _metric_acts(origin, "act_first_acceptance", "messages", over, _first_acceptance)


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


def _metric_acts(origin: LabelOrigin, name: str, unit: str, over: str, of: OfActs) -> Metric:
    return Metric(
        name=name,
        unit=unit,
        level="turn" if unit == "proportion of messages" else "conversation",
        description=f"the acts of the user's messages: {over}, as labelled by {origin}.",
        source=SOURCE.format(origin.source),
        measure=partial(_measure_acts, origin=origin, of=of),
        label=origin,
    )


def _measure_acts(columns: Columns, *, origin: LabelOrigin, of: OfActs) -> FloatArray:
    import numpy as np

    listed = (acts_by_message(conversation, origin) for conversation in columns.conversations)
    return np.fromiter((of(acts) if acts else float("nan") for acts in listed), np.float64, columns.n)


def _proportion_of(act: str) -> OfActs:
    return lambda listed: sum(act in acts for acts in listed) / len(listed)


def _any_of(act: str) -> OfActs:
    return lambda listed: float(any(act in acts for acts in listed))


def _first_acceptance(listed: Sequence[Sequence[str]]) -> float:
    return next((float(place) for place, acts in enumerate(listed, start=1) if ACCEPT in acts), float("nan"))


LabelLevel = Literal["message", "conversation"]
OfConversation = Callable[[Conversation, LabelOrigin], float]
TRAJECTORY = "satisfaction"
"""The label whose course over the turns is a metric of its own."""


def experience_metrics(origin: LabelOrigin) -> Iterator[Metric]:
    """Make the metrics of one numeric label: ``NAME`` of the session, or ``NAME_by_turn`` and a slope of the turns."""
    unit = f"points of {origin.scale[0]:g} to {origin.scale[1]:g}" if origin.scale else "points"
    if origin.level == "conversation":
        yield _metric_experience(origin, origin.name, unit, "of the whole conversation", _session)
        return
    yield _metric_experience(origin, f"{origin.name}_by_turn", unit, "mean over the user's messages", _mean)
    if origin.name == TRAJECTORY:
        over = "least-squares slope over the user's messages; undefined with fewer than two of them"
        yield _metric_experience(origin, f"{origin.name}_slope", f"{unit} a message", over, _slope)


def number_of(value: object) -> float | None:
    """Read a label's value as a number; yes and no are 1 and 0, and all else is none."""
    return float(value) if isinstance(value, int | float) else None


def _metric_experience(origin: LabelOrigin, name: str, unit: str, where: str, of: OfConversation) -> Metric:
    return Metric(
        name=name,
        unit=unit,
        level="conversation" if origin.level == "conversation" else "turn",
        description=f"the label {origin.name!r}, {where}, as given by {origin}; undefined without it.",
        source=f"labels by {origin.source}",
        measure=partial(_measure_experience, origin=origin, of=of),
        label=origin,
    )


def _measure_experience(columns: Columns, *, origin: LabelOrigin, of: OfConversation) -> FloatArray:
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


Key = tuple[str, LabelLevel]
PREFERRED = ("self", "third_party")
"""Whose label is taken where several carry a name: the participant's own, another person's, then by name."""
MAX_LABELS = 100
"""The most label names that are read; further ones are not read."""


def label_metrics(conversations: Sequence[Conversation]) -> dict[str, Metric]:
    """Make the metrics of each label of conversations and of user messages, each by its preferred source."""
    return {
        metric.name: metric
        for origins in find_origins(conversations).values()
        for metric in _metrics(origins[0], conversations)
    }


def common_label_metrics(
    real: Sequence[Conversation], simulated: Sequence[Conversation]
) -> tuple[dict[str, Metric], dict[str, Metric]]:
    """Make each side's label metrics, by the same source and scale on both sides wherever they share one.

    A name that both sides label, but never by the same source on the same scale, gives each side its own metric: their
    ``label`` differs, and validators refuse to compare them.
    """
    everybody = [*real, *simulated]
    found = find_origins(real), find_origins(simulated)
    sides: tuple[dict[str, Metric], dict[str, Metric]] = {}, {}
    for key in dict.fromkeys([*found[0], *found[1]]):
        here, there = found[0].get(key, ()), found[1].get(key, ())
        shared = [origin for origin in here if origin in there]
        for number, origin in enumerate(shared):
            made = {
                m.name: m for m in _metrics(origin, everybody, suffix=f"@{origin.source}" if number else "")
            }
            for side in sides:
                side.update(made)
        if not shared:
            for side, origins in zip(sides, (here, there), strict=True):
                side.update({m.name: m for origin in origins[:1] for m in _metrics(origin, everybody)})
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


def _metrics(origin: LabelOrigin, conversations: Sequence[Conversation], *, suffix: str = "") -> list[Metric]:
    """Make the metrics of one source's label; its acts are those that it gave on either side, and nobody else's."""
    made = (
        act_metrics(origin, act_names(conversations, {origin.source}))
        if origin.name == ACTS
        else experience_metrics(origin)
    )
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


def act_names(conversations: Iterable[Conversation], sources: Collection[str]) -> list[str]:
    """Name every act that these sources' labels of user messages hold."""
    return sorted(
        {
            act
            for conversation in conversations
            for message in conversation.user_messages
            for label in message.labels.get(ACTS, ())
            if label.source in sources
            for act in acts_of(label.value) or ()
        }
    )
