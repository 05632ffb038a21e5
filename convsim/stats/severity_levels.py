"""A ladder: the same personas met by one fault at several severities, their repeats averaged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convsim.schema import Corpus, ratio
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.schema.conversation import Conversation

MAX_NAMED = 8
"""How many faults or severities a sentence names."""


@dataclass(frozen=True)
class Cells:
    """The means of units at the severities that each was met at; rows of one unit stand together."""

    unit_of: IntArray
    """Shape (cells,): 0 to ``n_units`` - 1."""
    level_of: IntArray
    """Shape (cells,): index into the ladder's ``severities``."""
    values: FloatArray
    """Shape (cells, metrics); NaN where a metric is undefined."""
    n_units: int


@dataclass(frozen=True)
class Ladder:
    """What was measured of each persona at each severity; the bare agent stands at severity 0."""

    severities: FloatArray
    """Shape (levels,), ascending."""
    rows: IntArray
    """Shape (conversations on the ladder,): their places in the corpus."""
    level_of: IntArray
    """Shape (conversations on the ladder,): index into ``severities``."""
    values: FloatArray
    """Shape (personas, levels, metrics): means over repeats, NaN where nothing is defined."""
    seen: IntArray
    """Shape (personas, levels): conversations held."""
    unit_of: IntArray
    """Shape (personas,): personas that were drawn from one user are one unit."""
    has_personas: bool
    """False: at least one conversation has no persona, and is a unit of its own."""

    @classmethod
    def of(cls, corpus: Corpus, values: FloatArray, fault: str) -> Ladder:
        """Put the rows of ``values``, shape (conversations, metrics), on the steps of the ladder of ``fault``."""
        severity = rows_on(corpus.conversations, fault)
        rows = np.flatnonzero(~np.isnan(severity))
        levels, level_of = np.unique(severity[rows], return_inverse=True)
        on_ladder = [corpus.conversations[int(row)] for row in rows]
        personas, persona_of = np.unique([_persona(c) for c in on_ladder], return_inverse=True)
        first = np.unique(persona_of, return_index=True)[1]
        units = np.unique(corpus.units[rows[first]].astype(str), return_inverse=True)[1]
        measured = values[rows]
        shape = (len(personas), len(levels), values.shape[1])
        sums, counts = np.zeros(shape), np.zeros(shape)
        np.add.at(sums, (persona_of, level_of), np.nan_to_num(measured))
        np.add.at(counts, (persona_of, level_of), ~np.isnan(measured))
        seen = np.zeros(shape[:2], np.int64)
        np.add.at(seen, (persona_of, level_of), 1)
        with_persona = all(c.persona is not None for c in on_ladder)
        return cls(levels, rows, level_of, ratio(sums, counts), seen, units.astype(np.int64), with_persona)

    @cached_property
    def paired(self) -> bool:
        """Whether at least half of the personas were met at every severity."""
        n_complete = int(np.count_nonzero((self.seen > 0).all(axis=1)))
        return self.has_personas and n_complete > 0 and 2 * n_complete >= len(self.seen)

    @property
    def at_zero(self) -> IntArray:
        """Places in the corpus of the conversations at severity 0."""
        found: IntArray = self.rows[self.severities[self.level_of] == 0]
        return found

    @property
    def n_conversations(self) -> list[int]:
        """Conversations at each severity."""
        return [int(n) for n in self.seen.sum(axis=0)]

    @cached_property
    def cells(self) -> Cells:
        """The cells of all units; where paired, of the personas that have a metric at every severity.

        A persona that lacks a metric at one severity would otherwise pass for a change of the others' mean.
        """
        kept: BoolArray = self.seen > 0
        values = self.values
        if self.paired:
            everywhere = kept.all(axis=1, keepdims=True)
            kept = np.repeat(everywhere, len(self.severities), axis=1)
            incomplete = np.isnan(values).any(axis=1, keepdims=True)
            values = np.where(incomplete, np.nan, values)
        by_unit = self._over_personas(values, kept)
        in_unit = np.zeros((int(self.unit_of.max(initial=-1)) + 1, len(self.severities)), bool)
        np.logical_or.at(in_unit, self.unit_of, kept)
        unit_of, level_of = np.nonzero(in_unit)
        _, dense = np.unique(unit_of, return_inverse=True)
        return Cells(
            dense.astype(np.int64), level_of, by_unit[unit_of, level_of], int(in_unit.any(axis=1).sum())
        )

    def over_units(self, of_personas: FloatArray) -> FloatArray:
        """Average one number a persona, shape (personas, metrics), within units; units without one are left NaN."""
        everyone = np.ones((len(of_personas), 1), bool)
        return self._over_personas(of_personas[:, None, :], everyone)[:, 0, :]

    def _over_personas(self, values: FloatArray, kept: BoolArray) -> FloatArray:
        n_units = int(self.unit_of.max(initial=-1)) + 1
        defined = ~np.isnan(values) & kept[:, :, None]
        sums, counts = np.zeros((n_units, *values.shape[1:])), np.zeros((n_units, *values.shape[1:]))
        np.add.at(sums, self.unit_of, np.where(defined, values, 0.0))
        np.add.at(counts, self.unit_of, defined)
        return ratio(sums, counts)


def rows_on(conversations: Sequence[Conversation], fault: str) -> FloatArray:
    """Return the severity of each conversation on the ladder of ``fault``, NaN where it stands on another.

    At severity 0 any fault is the bare agent.
    """
    return np.asarray([_severity(c, fault) for c in conversations], np.float64)


def recorded(conversations: Sequence[Conversation]) -> dict[str, list[float]]:
    """Return the severities above 0 that are recorded, by fault."""
    found: dict[str, set[float]] = {}
    for conversation in conversations:
        if conversation.fault is not None and conversation.severity:
            found.setdefault(conversation.fault, set()).add(conversation.severity)
    return {fault: sorted(found[fault]) for fault in sorted(found)}


def describe_recorded(conversations: Sequence[Conversation]) -> str:
    """Say in words which faults are recorded at which severities."""
    found = recorded(conversations)
    parts = [
        f"{fault[:60]!r} at {', '.join(f'{severity:g}' for severity in severities[:MAX_NAMED])}"
        for fault, severities in list(found.items())[:MAX_NAMED]
    ]
    more = f" and {len(found) - MAX_NAMED} faults more" if len(found) > MAX_NAMED else ""
    bare = Counter(_severity(c, "") for c in conversations)[0.0]
    return f"recorded: {'; '.join(parts) or 'no fault'}{more}; the bare agent in {bare} conversations"


def _severity(conversation: Conversation, fault: str) -> float:
    if conversation.severity == 0 or (conversation.fault is None and conversation.severity is None):
        return 0.0
    on_it = conversation.fault is not None and conversation.fault == fault
    return float("nan") if not on_it or conversation.severity is None else conversation.severity


def _persona(conversation: Conversation) -> str:
    persona = conversation.persona
    return f"conversation {conversation.id}" if persona is None else f"persona {persona.id}"
