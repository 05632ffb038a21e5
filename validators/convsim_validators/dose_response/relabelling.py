"""Severities dealt anew: what would be seen if nobody cared how bad the agent was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from convsim.stats.resampling import IntArray
from convsim.stats.severity_levels import Cells

if TYPE_CHECKING:
    from numpy.random import Generator

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
