"""How the conversations of both sides ended, and in how many turns both sides can be watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, IntArray
from convsim.schema.conversation import Conversation
from convsim.stats.hazards import Stays
from convsim.stats.sides import Sides
from convsim.text.endings import read_ending, reads_endings
from convsim.text.language import Language

How = Literal["accepted", "left", "unknown", "agent_ended", "turn_limit", "failed"]
HOW: tuple[How, ...] = ("accepted", "left", "unknown", "agent_ended", "turn_limit", "failed")
BY_USER: frozenset[How] = frozenset({"accepted", "left", "unknown"})
Source = Literal["recorded", "inferred"]

MAX_TURNS = 60
"""Of a conversation that are followed."""
FEW = 0.05
"""Of a side's conversations: so many may be cut off early before that counts as the side's limit."""
WALL = 0.10
"""Of a side's conversations whose ending is unknown: where so many have the most turns, a limit ended them."""
MIN_AT_WALL = 5
MIN_RECORDED = 0.90
"""Of either side's conversations: with fewer whose ending is recorded, those of both sides are read from the text."""


@dataclass(frozen=True)
class Followed:
    """Both sides' conversations with a user's turn, the real ones first."""

    sides: Sides
    rows: IntArray
    """Shape (n,): their places among the rows of ``sides``."""
    turns: IntArray
    """Shape (n,): turns of the user."""
    recorded: IntArray
    """Shape (n,): how each ended by the record, an index into ``HOW``."""
    how: IntArray
    """Shape (n,): how each ended by the source that is judged by."""
    source: Source
    unread: str | None
    """Why endings that are not recorded cannot be read, if so."""

    @classmethod
    def of(cls, real: Corpus, simulated: Corpus) -> Followed:
        """Count turns, and take endings as recorded, or from the text where a side's are mostly not."""
        sides = Sides.of(real, simulated)
        conversations = [*sides.real.conversations, *sides.simulated.conversations]
        turns = np.asarray([sum(1 for _ in c.turns()) for c in conversations], np.int64)
        rows = np.flatnonzero(turns > 0)
        recorded = np.asarray([HOW.index(recorded_ending(conversations[row])) for row in rows], np.int64)
        followed = cls(sides, rows, turns[rows], recorded, recorded, "recorded", None)
        known = recorded != HOW.index("unknown")
        shares = [known[side].mean() for side in (followed.is_real, ~followed.is_real) if side.any()]
        if min(shares, default=1.0) >= MIN_RECORDED:
            return followed
        unread = _unreadable(sides)
        read = recorded if unread else followed.read
        return cls(sides, rows, turns[rows], recorded, read, "inferred", unread)

    @cached_property
    def conversations(self) -> Sequence[Conversation]:
        """The conversations, in order."""
        both = [*self.sides.real.conversations, *self.sides.simulated.conversations]
        return [both[row] for row in self.rows]

    @cached_property
    def is_real(self) -> BoolArray:
        """Shape (n,)."""
        return self.sides.is_human[self.rows]

    @cached_property
    def read(self) -> IntArray:
        """Shape (n,): how each ended by what the user said last; what cut it off stays as recorded."""
        found = self.recorded.copy()
        for place, conversation in enumerate(self.conversations):
            if HOW[found[place]] in BY_USER:
                side = self.sides.real if self.is_real[place] else self.sides.simulated
                said = [message.content for message in conversation.user_messages]
                language = language_of(side).of_lists
                found[place] = HOW.index(read_ending(said, language, side.lexicon))
        return found

    @cached_property
    def unit_of(self) -> IntArray:
        """Shape (n,): numbers of units, the real ones first."""
        return self.sides.unit_of[self.rows]

    @property
    def n(self) -> tuple[int, int]:
        """Conversations of people and of the simulator."""
        return int(self.is_real.sum()), int((~self.is_real).sum())

    @cached_property
    def n_units(self) -> tuple[int, int]:
        """Independent units of people and of the simulator."""
        return len(np.unique(self.unit_of[self.is_real])), len(np.unique(self.unit_of[~self.is_real]))

    @cached_property
    def follow_up(self) -> int:
        """The last turn whose endings can be seen on both sides; 0 where there is none.

        A limit of turns cuts a side off, so both are followed only up to the turn before it. So does a wall: where
        endings are unknown and many conversations have the most turns, more than twice as many as one fewer.
        """
        most = int(self.turns.max(initial=0))
        limits = [_limit(self.turns[side], self.recorded[side]) for side in (self.is_real, ~self.is_real)]
        return min([most, MAX_TURNS, *(limit - 1 for limit in limits if limit is not None)])

    @cached_property
    def stayed(self) -> IntArray:
        """Shape (n,): turns in which the user was seen to stay or to end, among those followed."""
        cut = ~np.isin(self.how, [HOW.index(name) for name in BY_USER])
        return np.minimum(self.turns - cut, self.follow_up)

    def ended(self, *ways: How) -> BoolArray:
        """Shape (n,): whether the user ended in one of these ways in a turn that is followed."""
        return np.isin(self.how, [HOW.index(name) for name in ways]) & (self.turns <= self.follow_up)

    def stays(self, *ways: How) -> Stays:
        """Count turns at risk and endings of these ways by unit."""
        return Stays.of(
            self.unit_of,
            self.stayed,
            self.ended(*ways),
            n_units=sum(self.n_of_design),
            n_turns=self.follow_up,
        )

    @property
    def n_of_design(self) -> tuple[int, int]:
        """Units that are dealt, also those without a user's turn."""
        return self.sides.design.real.n_units, self.sides.design.simulated.n_units


def recorded_ending(conversation: Conversation) -> How:
    """Return how a conversation ended by its record: its ending, else what its last message is marked with."""
    if conversation.ending in ("agent_failed", "shopper_failed"):
        return "failed"
    if conversation.ending != "unknown":
        return conversation.ending  # type: ignore[return-value]
    if conversation.failure is not None:
        return "failed"
    last = conversation.user_messages[-1:]
    if last and last[0].action in ("accept", "leave"):
        return "accepted" if last[0].action == "accept" else "left"
    return "unknown"


def language_of(side: Corpus) -> Language:
    """Return what the users of a side write in."""
    return side.language or side.columns.language


def _limit(turns: IntArray, how: IntArray) -> int | None:
    """Return the turn at which a side is cut off, if it is."""
    cut = np.sort(turns[how == HOW.index("turn_limit")])
    spared = int(FEW * len(turns))
    limits = [int(cut[spared])] if len(cut) > spared else []
    unknown = turns[how == HOW.index("unknown")]
    most = int(turns.max(initial=0))
    at, before = int((unknown == most).sum()), int((unknown == most - 1).sum())
    if at >= max(MIN_AT_WALL, WALL * len(turns)) and at > 2 * before:
        limits.append(most)
    return min(limits, default=None)


def _unreadable(sides: Sides) -> str | None:
    languages = [language_of(side) for side in (sides.real, sides.simulated)]
    codes = [language.of_lists for language in languages]
    for language, side in zip(languages, (sides.real, sides.simulated), strict=True):
        if language.problem:
            return f"endings are not recorded and cannot be read: {language.problem}"
        if not reads_endings(language.of_lists, side.lexicon):
            return (
                f"endings are not recorded, and no list {language.of_lists}/endings.toml says how they read"
            )
    if codes[0] != codes[1]:
        return f"endings are not recorded, and the sides are written in {codes[0]} and {codes[1]}"
    return None
