"""Collects what one source said of conversations, label by label, and checks it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from convsim._text import one_line
from convsim.annotation.classifier.targets import ACTS
from convsim.annotation.classifier.units import Level
from convsim.annotation.definitions import definitions
from convsim.annotation.mapping import ActMap
from convsim.errors import InputError
from convsim.schema.conversation import Conversation, Label

Place = tuple[int, int | None]
"""A conversation's number, and a message's index among all of its messages or None for the whole."""


@dataclass
class Evidence:
    """What a source said of one label at one level, by place."""

    name: str
    level: Level
    answers: dict[Place, JsonValue] = field(default_factory=dict)
    scales: dict[tuple[float, float] | None, str] = field(default_factory=dict)
    """With the id of a conversation where each was seen."""

    @property
    def title(self) -> str:
        """Name it for a person."""
        return f"{self.name!r} of {'messages' if self.level == 'message' else 'conversations'}"


def collect(conversations: Sequence[Conversation], source: str, mapping: ActMap | None) -> list[Evidence]:
    """Collect every label of ``source``, by name; where there is a ``mapping``, acts come from it alone."""
    found: dict[tuple[str, Level], Evidence] = {}

    def note(name: str, level: Level, place: Place, label: Label) -> None:
        evidence = found.setdefault((name, level), Evidence(name, level))
        evidence.answers[place] = label.value
        evidence.scales.setdefault(label.scale, conversations[place[0]].id)

    for number, conversation in enumerate(conversations):
        for name, label in _by(source, conversation.labels.items()):
            note(name, "conversation", (number, None), label)
        for index, message in enumerate(conversation.messages):
            if message.role != "user":
                continue
            for name, label in _by(source, message.labels.items()):
                if mapping is None or name != ACTS:
                    note(name, "message", (number, index), label)
            acts = mapping.acts_of(message, source=source) if mapping else None
            if acts is not None:
                note(ACTS, "message", (number, index), Label(value=list[JsonValue](acts), source=source))
    return [found[key] for key in sorted(found)]


def _by(source: str, labels: Iterable[tuple[str, Sequence[Label]]]) -> Iterator[tuple[str, Label]]:
    for name, given in labels:
        for label in given:
            if label.source == source:
                yield name, label


def check(evidence: Evidence, conversations: Sequence[Conversation]) -> None:
    """Refuse a label on mixed scales, and acts that do not exist; raises InputError."""
    if len(evidence.scales) > 1:
        seen = " and ".join(
            f"{list(scale) if scale else 'no scale'} (in {one_line(where)})"
            for scale, where in list(evidence.scales.items())[:2]
        )
        raise InputError(f"{evidence.title} are labelled on mixed scales: {seen}; label all on one scale")
    if evidence.name != ACTS:
        return
    names = definitions().act_names
    for place, value in evidence.answers.items():
        known = (
            isinstance(value, list) and value and all(isinstance(act, str) and act in names for act in value)
        )
        if not known:
            raise InputError(
                f"{one_line(conversations[place[0]].id)}: acts must be a list of acts that exist, "
                f"but is {one_line(value)}; there are {', '.join(names)}"
            )
