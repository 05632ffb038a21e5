"""Arms and severities dealt anew among units: what data would look like if they made no difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema.arrays import BoolArray, IntArray
from convsim.stats.severity_levels import Cells

if TYPE_CHECKING:
    from numpy.random import Generator

BLOCK = 128
"""Replicates dealt at a time; bounds memory at any number of them."""


@dataclass(frozen=True)
class Dealing:
    """Which arms may change places under the null.

    Two moves, each of which leaves every unit's number of conversations in each task, and the number of treated ones in
    each task, as they are. Units with the same number of conversations in each task exchange their whole lists of arms,
    those who met both arms among themselves and the others among themselves. Then a unit that met both arms in one task
    has these shuffled among its conversations there. The two together are a group of permutations, so that a p-value is
    exact wherever arms were given out without regard to what a user says, be it by user or by conversation. Order is
    not known here: if everyone met the control arm first, the arm and the order are one and the same.
    """

    treated: BoolArray
    """Shape (n,): the observed arm of each conversation."""
    task_of: IntArray
    """Shape (n,)."""
    patterns: tuple[IntArray, ...]
    """For each kind of unit the rows of its conversations, by task: shape (units, conversations a unit)."""

    @classmethod
    def of(cls, treated: BoolArray, unit_of: IntArray, task_of: IntArray) -> Dealing:
        """Find the units of one pattern; all three of shape (n,)."""
        order = np.lexsort((task_of, unit_of))
        starts = np.flatnonzero(np.diff(unit_of[order], prepend=-1))
        kinds: dict[tuple[object, ...], list[IntArray]] = {}
        for rows in np.split(order, starts[1:]) if len(order) else []:
            tasks = Counter(task_of[rows].tolist())
            met_both = bool(treated[rows].any() and not treated[rows].all())
            kinds.setdefault((met_both, *sorted(tasks.items())), []).append(rows)
        return cls(treated, task_of, tuple(np.stack(rows) for rows in kinds.values()))

    @property
    def n_movable(self) -> int:
        """How many units may come by other arms than they have; the test rests on these alone."""
        movable = 0
        for rows in self.patterns:
            labels = self.treated[rows]
            mixed = np.zeros(len(rows), bool)
            for part in self._within_task(rows):
                mixed |= labels[:, part].any(axis=1) & ~labels[:, part].all(axis=1)
            movable += len(rows) if (labels != labels[0]).any() else int(mixed.sum())
        return movable

    def deal(self, n_replicates: int, rng: Generator) -> Iterator[BoolArray]:
        """Yield arms under the null in blocks of shape (replicates, n), True where a conversation counts as treated."""
        for start in range(0, n_replicates, BLOCK):
            yield self._block(min(BLOCK, n_replicates - start), rng)

    def _block(self, size: int, rng: Generator) -> BoolArray:
        dealt = np.tile(self.treated, (size, 1))
        for rows in self.patterns:
            labels = self.treated[rows]
            if labels.all() or not labels.any():
                continue
            now = labels[rng.random((size, len(rows))).argsort(axis=1)]
            for part in self._within_task(rows):
                now[:, :, part] = rng.permuted(now[:, :, part], axis=2)
            dealt[:, rows.ravel()] = now.reshape(size, -1)
        return dealt

    def _within_task(self, rows: IntArray) -> list[slice]:
        """Return the columns that share a task, where there is more than one; all units of a pattern agree."""
        tasks = self.task_of[rows[0]]
        bounds = [*np.flatnonzero(np.diff(tasks, prepend=-1)).tolist(), len(tasks)]
        return [slice(a, b) for a, b in pairwise(bounds) if b - a > 1]


MAX_LABELS = 2_000_000
"""Labels dealt at a time; bounds memory at any number of permutations."""


def relabelled(cells: Cells, n_permutations: int, rng: Generator) -> Iterator[IntArray]:
    """Yield permuted levels in blocks of shape (permutations, cells).

    H0: a unit's values do not depend on the severity at which they were seen. Levels are permuted within each unit,
    and whole sets of levels among units that were seen equally often. So a unit that was seen at every severity
    keeps its own severities (blocks), and one that was seen at one of them changes places with others as a whole.
    """
    block = max(1, MAX_LABELS // max(1, len(cells.level_of)))
    for start in range(0, n_permutations, block):
        size = min(block, n_permutations - start)
        levels = np.empty((size, len(cells.level_of)), np.int64)
        for rows in _rows_by_count(cells):
            patterns = cells.level_of[rows]
            dealt = np.broadcast_to(patterns, (size, *patterns.shape))
            if (patterns != patterns[0]).any():
                dealt = patterns[rng.random((size, len(rows))).argsort(axis=1)]
            if rows.shape[1] > 1:
                dealt = rng.permuted(dealt, axis=2)
            levels[:, rows.ravel()] = dealt.reshape(size, -1)
        yield levels


def _rows_by_count(cells: Cells) -> Iterator[IntArray]:
    """Yield the cells of units that have equally many; shape (units, cells a unit)."""
    counts = np.bincount(cells.unit_of, minlength=cells.n_units)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    for count in np.unique(counts[counts > 0]):
        yield starts[counts == count][:, None] + np.arange(count)
