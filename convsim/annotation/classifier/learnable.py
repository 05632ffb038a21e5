"""Tells which of a source's labels a classifier can learn, and why it cannot learn the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from convsim._text import one_line
from convsim.annotation.classifier.evidence import Evidence, Place, check, collect
from convsim.annotation.classifier.targets import ACTS, Target
from convsim.annotation.definitions import OTHER
from convsim.annotation.mapping import ActMap
from convsim.errors import InputError
from convsim.schema.conversation import Conversation

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
        InputError: No such label, acts that do not exist, mixed scales, values that are no numbers though the label
            was named, or nothing that can be learned.
    """
    found = collect(conversations, source, mapping)
    wanted = [one for one in found if labels is None or one.name in labels]
    missing = sorted(set(labels or ()) - {one.name for one in found})
    if missing or not wanted:
        there = ", ".join(dict.fromkeys(one.name for one in found)) or "none"
        what = f"no label {missing[0]!r} by {source!r}" if missing else f"no label by {source!r}"
        raise InputError(
            f"{what} stands on a user's message or a conversation; by that source there are: {there}; "
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
            return None, [f"the value {one_line(value)} is no number"]
        values[float(value)] += 1
    if problem := _too_few(evidence):
        return None, [problem]
    if len(values) == 1:
        return None, [f"one class only: all {len(evidence.answers)} are {next(iter(values)):g}"]
    if len(values) > MAX_VALUES:
        return None, [f"{len(values)} values, more than {MAX_VALUES}: no scale of a few steps"]
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
        f"{act!r} stands on {count} of {n} messages, and learning it takes {MIN_EXAMPLES} with and without: "
        "it is never predicted"
        for act, count in sorted(counts.items())
        if act not in kept
    ]
    if not kept:
        return None, warnings
    return Learnable(Target(name=ACTS, level=evidence.level, acts=tuple(kept)), evidence.answers), warnings


def _too_few(evidence: Evidence) -> str:
    n = len(evidence.answers)
    return f"{n} are labelled, and learning takes {MIN_UNITS} at least" if n < MIN_UNITS else ""


def _sources(conversations: Iterable[Conversation]) -> str:
    sources = {
        label.source
        for conversation in conversations
        for labels in (conversation.labels, *(message.labels for message in conversation.user_messages))
        for given in labels.values()
        for label in given
    }
    return one_line(", ".join(sorted(sources)) or "none")
