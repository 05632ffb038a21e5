"""Counts the labels of conversations: by name, by what they are on, by who gave them and on which scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import fmean

from pydantic import BaseModel, ConfigDict, JsonValue

from convsim.io.problems import shown
from convsim.schema.conversation import Conversation, Label, Labels

MAX_VALUES = 5

Kind = tuple[str, str, str, tuple[float, float] | None]
"""Name, level, source, scale."""


class LabelCount(BaseModel):
    """The labels of one name, level, source and scale.

    ``level`` is ``conversation`` or a message's role; ``mean`` is over the ``n_numbers`` values that are
    numbers; ``values`` counts the others, the five most frequent ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    level: str
    source: str
    scale: tuple[float, float] | None
    n: int
    n_numbers: int
    mean: float | None
    values: dict[str, int]


@dataclass
class _Tally:
    numbers: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def add(self, value: JsonValue) -> None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.numbers.append(value)
        else:
            self.others[value[:60] if isinstance(value, str) else shown(value)] += 1


def count_labels(conversations: Iterable[Conversation]) -> tuple[LabelCount, ...]:
    """Count all labels, in the order of name, level and source."""
    tallies: dict[Kind, _Tally] = {}
    for conversation in conversations:
        for kind, label in _labels(conversation):
            tallies.setdefault(kind, _Tally()).add(label.value)
    return tuple(
        _count(kind, tallies[kind]) for kind in sorted(tallies, key=lambda kind: (kind[:3], kind[3] or ()))
    )


def _labels(conversation: Conversation) -> Iterator[tuple[Kind, Label]]:
    yield from _of(conversation.labels, "conversation")
    for message in conversation.messages:
        yield from _of(message.labels, message.role)


def _of(labels: Labels, level: str) -> Iterator[tuple[Kind, Label]]:
    for name, given in labels.items():
        for label in given:
            yield (name, level, label.source, label.scale), label


def _count(kind: Kind, tally: _Tally) -> LabelCount:
    name, level, source, scale = kind
    return LabelCount(
        name=name,
        level=level,
        source=source,
        scale=scale,
        n=len(tally.numbers) + tally.others.total(),
        n_numbers=len(tally.numbers),
        mean=fmean(tally.numbers) if tally.numbers else None,
        values=dict(tally.others.most_common(MAX_VALUES)),
    )
