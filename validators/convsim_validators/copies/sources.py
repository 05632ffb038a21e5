"""Has a simulated conversation one source among the people judged, as a copy has and a commonplace has not?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.schema.conversation import Conversation
from convsim.schema.units import independent_unit
from convsim.stats.neighbours import MIN_TOKENS, Nearest, duplicate_groups, nearest, vectors

ONE_SOURCE = 0.4
"""Of the similarity to the nearest that must be gap: with every second word exchanged it is 0.7, in small talk 0.1."""
MIN_MESSAGE_TOKENS = 8
MESSAGE_GAP = 0.5
"""In five sets of real conversations no person's message lies that much nearer to one other person than to the rest."""
TWIN_SIMILARITY = 0.6
"""Of messages after the first: a scenario does not make two people say the same so nearly."""
MESSAGE_SHARE = 0.25
"""Of a unit's messages that have one source, from which on the unit counts as recombined."""


@dataclass(frozen=True)
class Judged:
    """The people judged, and what a conversation may share with one of them for another reason than copying."""

    unit_of: IntArray
    """Shape (people's conversations,)."""
    alone: dict[tuple[str, str], int]
    """The unit that is the only one to have met a persona's need or a task, or to be that user."""

    @classmethod
    def of(cls, real: Corpus) -> Judged:
        """Find the units of the people, and what only one of them met."""
        names = [independent_unit(conversation) for conversation in real.conversations]
        unit_of = np.unique(names, return_inverse=True)[1].astype(np.int64)
        met: dict[tuple[str, str], set[int]] = defaultdict(set)
        for conversation, unit in zip(real.conversations, unit_of, strict=True):
            for key in _keys(conversation):
                met[key].add(int(unit))
        return cls(unit_of, {key: next(iter(units)) for key, units in met.items() if len(units) == 1})

    def twins(self, conversations: Sequence[Conversation]) -> BoolArray:
        """Shape (conversations, units): which one person has met the same as each conversation, and nobody else has.

        People leave themselves out by it, and a simulated conversation leaves out the only person of its scenario: how
        alike two conversations of one scenario are, that person alone cannot show.
        """
        found = np.zeros((len(conversations), int(self.unit_of.max(initial=-1)) + 1), bool)
        for row, conversation in enumerate(conversations):
            for key in _keys(conversation):
                if (unit := self.alone.get(key)) is not None:
                    found[row, unit] = True
        return found


def _keys(conversation: Conversation) -> list[tuple[str, str]]:
    keys = [("unit", independent_unit(conversation))]
    if conversation.persona is not None:
        keys.append(("need", " ".join(conversation.persona.need.casefold().split())))
    if conversation.task:
        keys.append(("task", conversation.task))
    return keys


def _units(conversations: Sequence[Conversation]) -> IntArray:
    """Number the users; those who said the very same are one, as what is said four times is no evidence times four."""
    names = [independent_unit(conversation) for conversation in conversations]
    said: dict[int, str] = {}
    same = duplicate_groups(["\n".join(m.content for m in c.user_messages) for c in conversations])
    names = [said.setdefault(int(group), name) for group, name in zip(same, names, strict=True)]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True)
class Traced:
    """How near each unit of one side lies to one person judged, and how much nearer than to any other."""

    found: Nearest
    """By conversation, without the only person of its scenario."""
    with_twins: Nearest
    """By conversation, with that person."""
    gap: FloatArray
    """Shape (units,): mean over a unit's conversations."""
    gap_with_twins: FloatArray
    has_one_source: BoolArray
    """Shape (units,): the gap is a good part of the similarity. Commonplaces are near to one and to many."""
    has_one_source_with_twins: BoolArray
    recombined: BoolArray
    """Shape (units,): a quarter of the unit's longer messages have one source."""
    recombined_with_twins: BoolArray
    repeats_twin: BoolArray
    """Shape (units,): a conversation nearly repeats, after its first message, the only person of its scenario."""
    has_twin: BoolArray
    """Shape (units,)."""

    @property
    def n(self) -> int:
        """How many units there are."""
        return len(self.gap)


@dataclass(frozen=True)
class Texts:
    """Both sides' texts, weighed together: whole conversations, and longer messages."""

    judged: Judged
    real: Sequence[Conversation]
    simulated: Sequence[Conversation]

    @cached_property
    def _conversations(self) -> _Weighed:
        everybody = [*self.real, *self.simulated]
        texts = ["\n".join(m.content for m in c.user_messages) for c in everybody]
        return _Weighed(texts, np.arange(len(texts)), len(self.real), MIN_TOKENS)

    @cached_property
    def _messages(self) -> _Weighed:
        everybody = [*self.real, *self.simulated]
        said = [(row, m.content) for row, c in enumerate(everybody) for m in c.user_messages]
        return _Weighed(
            [text for _, text in said],
            np.asarray([row for row, _ in said], np.int64),
            len(self.real),
            MIN_MESSAGE_TOKENS,
        )

    @cached_property
    def _later(self) -> _Weighed:
        """Conversations without their first message, which is often the need itself, given to whoever plays it."""
        everybody = [*self.real, *self.simulated]
        texts = ["\n".join(m.content for m in list(c.user_messages)[1:]) for c in everybody]
        return _Weighed(texts, np.arange(len(texts)), len(self.real), MIN_TOKENS)

    def _repeats_twin(self, rows: IntArray, twins: BoolArray, has_twin: BoolArray) -> BoolArray:
        """Tell whose later messages nearly repeat the only person's of the same scenario."""
        if not has_twin.any():
            return has_twin
        found, with_twins = self._later.look(rows, twins, has_twin, self.judged)
        return np.asarray((with_twins.similarity >= TWIN_SIMILARITY) & (with_twins.row != found.row), bool)

    def trace(self, rows: IntArray, *, real: bool) -> Traced:
        """Look for the source of some conversations of one side among all people judged."""
        side = self.real if real else self.simulated
        conversations = [side[row] for row in rows]
        unit_of = _units(conversations)
        twins = self.judged.twins(conversations)
        has_twin = np.asarray(twins.any(axis=1) & (not real), bool)
        offset = 0 if real else len(self.real)
        found, with_twins = self._conversations.look(rows + offset, twins, has_twin, self.judged)
        whose, messages, messages_with = self._messages.by_row(rows + offset, twins, has_twin, self.judged)
        copies_twin = has_twin & self._repeats_twin(rows + offset, twins, has_twin)
        n = np.bincount(unit_of)
        sourced, sourced_with = (
            np.bincount(unit_of[whose], each.gap > MESSAGE_GAP, minlength=len(n))
            for each in (messages, messages_with)
        )
        wanted = np.maximum(1, MESSAGE_SHARE * np.bincount(unit_of[whose], minlength=len(n)))
        return Traced(
            found,
            with_twins,
            np.bincount(unit_of, found.gap) / n,
            np.bincount(unit_of, with_twins.gap) / n,
            _one_source(found, unit_of),
            _one_source(with_twins, unit_of),
            sourced >= wanted,
            sourced_with >= wanted,
            np.bincount(unit_of, copies_twin) > 0,
            np.bincount(unit_of, has_twin) > 0,
        )


def _one_source(found: Nearest, unit_of: IntArray) -> BoolArray:
    """Tell of each unit whether its gap is a good part of its similarity."""
    return np.asarray(
        np.bincount(unit_of, found.gap) > ONE_SOURCE * np.bincount(unit_of, found.similarity), bool
    )


class _Weighed:
    """Texts as vectors, with the conversation that each comes from; the people's stand first."""

    def __init__(self, texts: Sequence[str], row_of: IntArray, n_real: int, min_tokens: int) -> None:
        self._all = vectors(texts)
        self._row_of, self._min_tokens = row_of, min_tokens
        self._people = np.flatnonzero(row_of < n_real)
        self._judged = self._all.take(self._people)

    def by_row(
        self, rows: IntArray, twins: BoolArray, has_twin: BoolArray, judged: Judged
    ) -> tuple[IntArray, Nearest, Nearest]:
        """Look for the sources of some conversations' longer texts; returns also each text's place in ``rows``."""
        place = np.full(int(max(self._row_of.max(initial=-1), rows.max(initial=-1))) + 1, -1)
        place[rows] = np.arange(len(rows))
        texts = np.flatnonzero((place[self._row_of] >= 0) & (self._all.n_tokens >= self._min_tokens))
        whose = place[self._row_of[texts]]
        return whose, *self.look(texts, twins[whose], has_twin[whose], judged)

    def look(
        self, texts: IntArray, twins: BoolArray, has_twin: BoolArray, judged: Judged
    ) -> tuple[Nearest, Nearest]:
        """Find the nearest judged text without twins, and with them; a short text lies near to nobody."""
        asked = self._all.take(texts)
        unit_of = judged.unit_of[self._row_of[self._people]]
        found = nearest(asked, self._judged, unit_of, lambda start, stop: twins[start:stop][:, unit_of])
        with_twins = Nearest(found.row.copy(), found.similarity.copy(), found.second.copy())
        if has_twin.any():
            again = nearest(asked.take(has_twin), self._judged, unit_of)
            for column, new in zip(with_twins, again, strict=True):
                column[has_twin] = new
        short = asked.n_tokens < self._min_tokens
        for each in (found, with_twins):
            each.row[short] = -1
            each.similarity[short] = each.second[short] = 0
            each.row[each.row >= 0] = self._row_of[self._people][each.row[each.row >= 0]]
        return found, with_twins
