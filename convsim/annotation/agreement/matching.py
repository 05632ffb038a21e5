"""Which conversations of two files are the same, and which of their items carry both labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from convsim.annotation.agreement.document import Level, Scale
from convsim.errors import InputError
from convsim.metrics.labels import acts_of, number_of
from convsim.schema.conversation import Conversation, Label, Labels
from convsim.schema.units import independent_unit

Value = float | tuple[str, ...]
Pair = tuple[Conversation, Conversation]
"""One conversation: with the annotator's labels, and with the reference's."""


class Kind(NamedTuple):
    """What two labels of one item are, and on which scales: annotated, then reference."""

    kind: Literal["ordinal", "sets"]
    scale_annotated: Scale | None
    scale_reference: Scale | None


@dataclass(frozen=True)
class Matched:
    """The items of one label and level that carry both labels, all of one kind."""

    label: str
    level: Level
    kind: Kind
    units: tuple[str, ...]
    """The independent unit of each item."""
    conversations: tuple[str, ...]
    annotated: tuple[Value, ...]
    reference: tuple[Value, ...]
    n_unlabelled: int
    n_left_out: int


class _Item(NamedTuple):
    conversation: Conversation
    annotated: Label | None
    reference: Label


def match_conversations(
    annotated: Sequence[Conversation], reference: Sequence[Conversation]
) -> tuple[list[Pair], list[str]]:
    """Pair conversations by id; return the pairs, and warnings of what has no partner.

    Raises:
        InputError: An id occurs twice in a file, or no conversation is in both.
    """
    if annotated is reference:
        return [(conversation, conversation) for conversation in annotated], []
    here, there = _by_id(annotated, "annotated"), _by_id(reference, "reference")
    shared = [(conversation, there[name]) for name, conversation in here.items() if name in there]
    pairs = [(a, r) for a, r in shared if a is r or a.fingerprint == r.fingerprint]
    if not pairs:
        raise InputError(
            f"the two files have no conversation in common ({len(here)} annotated, {len(there)} reference, "
            f"{len(shared)} common ids): use the same conversations, with the same ids and texts"
        )
    warnings = []
    for side, n in (("annotated", len(here) - len(shared)), ("reference", len(there) - len(shared))):
        if n:
            warnings.append(f"{n} {side} conversations were skipped: the other file lacks their ids")
    if n := len(shared) - len(pairs):
        warnings.append(f"{n} conversations were skipped: same id, but different text in the two files")
    return pairs, warnings


def match_labels(pairs: Sequence[Pair], source: str, against: str) -> Iterator[Matched]:
    """Yield, for each label and level, the items that ``source`` and ``against`` both labelled."""
    found: dict[tuple[Level, str], list[_Item]] = defaultdict(list)
    for annotated, reference in pairs:
        for name, mine, theirs in _both(annotated.labels, reference.labels, source, against):
            found["conversation", name].append(_Item(annotated, mine, theirs))
        for message, other in zip(annotated.user_messages, reference.user_messages, strict=True):
            if other.labels:
                for name, mine, theirs in _both(message.labels, other.labels, source, against):
                    found["message", name].append(_Item(annotated, mine, theirs))
    for (level, name), items in sorted(found.items()):
        matched = _of_one_kind(name, level, items)
        if matched is not None:
            yield matched


def sources(conversations: Sequence[Conversation]) -> dict[str, set[str]]:
    """Find who labelled conversations and user messages, with the names of the labels each gave."""
    found: dict[str, set[str]] = defaultdict(set)
    for conversation in conversations:
        for labels in (conversation.labels, *(m.labels for m in conversation.user_messages)):
            for name, given in labels.items():
                for label in given:
                    found[label.source].add(name)
    return dict(found)


def _by_id(conversations: Sequence[Conversation], side: str) -> dict[str, Conversation]:
    named = {conversation.id: conversation for conversation in conversations}
    if len(named) < len(conversations):
        twice, _ = Counter(c.id for c in conversations).most_common(1)[0]
        raise InputError(
            f"two conversations of the {side} file have the id {twice[:60]!r}: ids must be unique"
        )
    return named


def _both(
    mine: Labels, theirs: Labels, source: str, against: str
) -> Iterator[tuple[str, Label | None, Label]]:
    for name, given in theirs.items():
        reference = _by(given, against)
        if reference is not None and read(reference) is not None:
            yield name, _by(mine.get(name, ()), source), reference


def _by(labels: Sequence[Label], source: str) -> Label | None:
    return next((label for label in labels if label.source == source), None)


def read(label: Label) -> Value | None:
    """Read a label's value as a number or as a set of names; None where it is neither."""
    names = acts_of(label.value)
    return tuple(sorted(set(names))) if names is not None else number_of(label.value)


def _of_one_kind(name: str, level: Level, items: Sequence[_Item]) -> Matched | None:
    """Keep the items of the most common kind; None where nothing is left."""
    groups: dict[Kind, list[tuple[_Item, Value, Value]]] = defaultdict(list)
    n_unlabelled = n_left_out = 0
    for item in items:
        theirs = read(item.reference)
        if item.annotated is None or theirs is None:
            n_unlabelled += 1
            continue
        mine = read(item.annotated)
        if mine is None or isinstance(mine, tuple) != isinstance(theirs, tuple):
            n_left_out += 1
        else:
            kind = Kind(
                "sets" if isinstance(mine, tuple) else "ordinal", item.annotated.scale, item.reference.scale
            )
            groups[kind].append((item, mine, theirs))
    if not groups:
        return None
    kind, kept = max(groups.items(), key=lambda group: (len(group[1]), str(group[0])))
    return Matched(
        label=name,
        level=level,
        kind=kind,
        units=tuple(independent_unit(item.conversation) for item, _, _ in kept),
        conversations=tuple(item.conversation.id for item, _, _ in kept),
        annotated=tuple(mine for _, mine, _ in kept),
        reference=tuple(theirs for _, _, theirs in kept),
        n_unlabelled=n_unlabelled,
        n_left_out=n_left_out + sum(map(len, groups.values())) - len(kept),
    )
