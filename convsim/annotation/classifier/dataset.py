"""What a classifier learns from: the labels of one source, collected, checked, and which of them can be learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from pydantic import JsonValue, model_validator

from convsim._text import one_line
from convsim.annotation.classifier.features import Level
from convsim.annotation.definitions import OTHER, definitions
from convsim.annotation.mapping import ActMap
from convsim.errors import InputError
from convsim.schema.conversation import Conversation, Label
from convsim.schema.record import Name, Number, Record

ACTS = "acts"


class Target(Record):
    """One label that is learned: acts, of which several may hold at once, or one of a few ordered values."""

    name: Name
    level: Level
    scale: tuple[Number, Number] | None = None
    acts: tuple[Name, ...] = ()
    """The acts that are told apart from their absence, by name; empty for an ordered label."""
    values: tuple[Number, ...] = ()
    """The values of an ordered label, rising; empty for acts."""

    @model_validator(mode="after")
    def _acts_or_values(self) -> Self:
        if bool(self.acts) == bool(self.values) or len(self.values) == 1:
            raise ValueError("a target has acts, or two values and more")
        if list(self.acts) != sorted(set(self.acts)) or list(self.values) != sorted(set(self.values)):
            raise ValueError("acts and values must be distinct and sorted")
        if unknown := set(self.acts) - set(definitions().act_names) | {OTHER} & set(self.acts):
            raise ValueError(f"{sorted(unknown)[0]!r} is not an act whose absence can be recognised")
        if (
            self.scale
            and self.values
            and not self.scale[0] <= self.values[0] <= self.values[-1] <= self.scale[1]
        ):
            raise ValueError(f"the values {list(self.values)} are outside the scale {list(self.scale)}")
        return self

    @property
    def kind(self) -> Literal["acts", "ordered"]:
        """Whether several acts may hold, or one value of an order."""
        return "acts" if self.acts else "ordered"

    @property
    def n_questions(self) -> int:
        """Each act is a question (is it there?), and so is each step of an order (is it at least this value?)."""
        return len(self.acts) or len(self.values) - 1

    def asked(self, answer: JsonValue) -> list[float]:
        """Turn a label's value into the answers to the questions, each 0 or 1."""
        if isinstance(answer, list):
            return [float(act in answer) for act in self.acts]
        return [float(_number(answer) >= value) for value in self.values[1:]]

    def said(self, answers: Sequence[bool], source: str) -> Label:
        """Turn the questions' answers into a label.

        An order's value is the number of steps that are taken: answers that contradict one another (at least 3, but
        not at least 2) give a value between (Frank and Hall, 2001, decompose an order in the same way).
        """
        if self.acts:
            held = [act for act, yes in zip(self.acts, answers, strict=True) if yes]
            return Label(value=list[JsonValue](held) or [OTHER], source=source, scale=self.scale)
        value = self.values[sum(answers)]
        return Label(value=int(value) if value.is_integer() else value, source=source, scale=self.scale)


def _number(value: JsonValue) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"an ordered label is a number, not {value!r}")
    return float(value)


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
                f"{one_line(conversations[place[0]].id)}: acts must be a list of known acts, "
                f"but is {one_line(value)}; there are {', '.join(names)}"
            )


MIN_UNITS = 20
MIN_EXAMPLES = 5
"""An act needs as many messages that have it, and as many that do not."""
MAX_VALUES = 11


@dataclass(frozen=True)
class Learnable:
    """A target and the places where its value is known."""

    target: Target
    answers: Mapping[Place, JsonValue]


def gather(
    conversations: Sequence[Conversation],
    *,
    labels: Sequence[str] | None,
    source: str,
    mapping: ActMap | None,
) -> tuple[tuple[Learnable, ...], tuple[str, ...]]:
    """Find what can be learned from the labels of ``source``; returns that, and what is to be warned of.

    Args:
        conversations: Those that did not fail.
        labels: The names to learn; every act and ordered label by default.
        source: Whose labels.
        mapping: Gives the acts of messages that are labelled by another scheme; then ``acts`` are read by it alone.

    Raises:
        InputError: No such label, acts that do not exist, mixed scales, values that are not numbers though the label
            was named, or nothing that can be learned.
    """
    found = collect(conversations, source, mapping)
    wanted = [one for one in found if labels is None or one.name in labels]
    missing = sorted(set(labels or ()) - {one.name for one in found})
    if missing or not wanted:
        there = ", ".join(dict.fromkeys(one.name for one in found)) or "none"
        what = f"no label {missing[0]!r} by {source!r}" if missing else f"no label by {source!r}"
        raise InputError(
            f"{what} is on any user message or conversation; labels by that source: {there}; "
            f"sources: {_sources(conversations)}"
        )
    learnable, refused = [], []
    for one in wanted:
        check(one, conversations)
        made, reasons = _learnable(one, named=labels is not None)
        refused += [f"{one.title}: {reason}" for reason in reasons]
        if made:
            learnable.append(made)
    if not learnable:
        raise InputError(f"nothing by {source!r} can be learned: {'; '.join(refused)}")
    return tuple(learnable), tuple(refused)


def _learnable(evidence: Evidence, *, named: bool) -> tuple[Learnable | None, list[str]]:
    if evidence.name == ACTS:
        return _acts(evidence)
    values: Counter[float] = Counter()
    for value in evidence.answers.values():
        if not isinstance(value, int | float):
            if named:
                raise InputError(
                    f"{evidence.title}: only numbers can be learned, but one is {one_line(value)}"
                )
            return None, [f"the value {one_line(value)} is not a number"]
        values[float(value)] += 1
    if problem := _too_few(evidence):
        return None, [problem]
    if len(values) == 1:
        return None, [f"one class only: all {len(evidence.answers)} are {next(iter(values)):g}"]
    if len(values) > MAX_VALUES:
        return None, [f"{len(values)} values, more than {MAX_VALUES}: not a rating scale"]
    (scale,) = evidence.scales
    target = Target(name=evidence.name, level=evidence.level, scale=scale, values=tuple(sorted(values)))
    return Learnable(target, evidence.answers), []


def _acts(evidence: Evidence) -> tuple[Learnable | None, list[str]]:
    if problem := _too_few(evidence):
        return None, [problem]
    counts: Counter[str] = Counter()
    sets = set()
    for value in evidence.answers.values():
        held = {str(act) for act in value} if isinstance(value, list) else set()
        counts.update(held)
        sets.add(frozenset(held))
    if len(sets) == 1:
        return None, [f"one class only: all {len(evidence.answers)} are {sorted(counts)}"]
    counts.pop(OTHER, None)
    n = len(evidence.answers)
    kept = sorted(act for act, count in counts.items() if MIN_EXAMPLES <= count <= n - MIN_EXAMPLES)
    warnings = [
        f"{act!r} is on {count} of {n} messages, too few (with or without it) to learn: {MIN_EXAMPLES} are needed, so "
        "it is never predicted"
        for act, count in sorted(counts.items())
        if act not in kept
    ]
    if not kept:
        return None, warnings
    return Learnable(Target(name=ACTS, level=evidence.level, acts=tuple(kept)), evidence.answers), warnings


def _too_few(evidence: Evidence) -> str:
    n = len(evidence.answers)
    return f"{n} are labelled; learning needs at least {MIN_UNITS}" if n < MIN_UNITS else ""


def _sources(conversations: Iterable[Conversation]) -> str:
    sources = {
        label.source
        for conversation in conversations
        for labels in (conversation.labels, *(message.labels for message in conversation.user_messages))
        for given in labels.values()
        for label in given
    }
    return one_line(", ".join(sorted(sources)) or "none")
