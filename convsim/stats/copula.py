"""How far two sides lie apart in how pairs of columns hang together, ranks taken anew in every dealing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.resampling import Weights
from convsim.stats.tasks import in_tasks

N_WAVES = 4
"""Cosine waves of ranks a column; what the fifth and later ones weigh in a pair is below 1 %."""
WAVES = np.arange(1, N_WAVES + 1)
DISTANCE: FloatArray = 1 / (np.pi * WAVES) ** 2
"""Weights of the waves in the kernel of the distance of two ranks: its eigenvalues over uniform ranks."""
GAUSSIAN: FloatArray = np.exp(-((np.pi * WAVES) ** 2) / 24)
"""The same of exp(-d² / 2), d the distance of ranks that are scaled to a standard deviation of 1."""
TINY = 1e-12
BLOCK = 125
"""Dealings of a task: an eighth of the usual thousand."""


@dataclass(frozen=True)
class Pairs:
    """Columns of both sides' rows, whose ranks are taken within each side of each dealing.

    Ranks that were taken once, within the sides as they are, would fit these sides alone: where a habit has two values,
    a side has scores of its own, dealt sides a mixture of both, and people differ from people in a third of all cases.
    """

    values: FloatArray
    """Shape (rows, columns), without NaN."""
    unit_of: IntArray
    """Shape (rows,)."""

    @cached_property
    def _order(self) -> IntArray:
        """Shape (rows, columns): the rows of each column in order."""
        return np.argsort(self.values, axis=0, kind="stable").astype(np.int64)

    @cached_property
    def _ties(self) -> tuple[IntArray, IntArray]:
        """Where counts of lower values, and of values up to that of each place, stand in a flat table of counts."""
        sorted_ = np.take_along_axis(self.values, self._order, axis=0)
        n, n_columns = sorted_.shape
        new = np.ones((n + 1, n_columns), bool)
        new[1:-1] = sorted_[1:] != sorted_[:-1]
        places = np.broadcast_to(np.arange(n)[:, None], sorted_.shape)
        first = np.maximum.accumulate(np.where(new[:-1], places, 0), axis=0)
        end = np.minimum.accumulate(np.where(new[1:], places + 1, n)[::-1], axis=0)[::-1]
        columns = np.arange(n_columns)[None, :]
        return (first * n_columns + columns).astype(np.int64), (end * n_columns + columns).astype(np.int64)

    @cached_property
    def _ends(self) -> IntArray:
        """Shape (rows, columns): how many values lie below that of each place, and how many up to it, added up."""
        first, end = self._ties
        return np.asarray(first // self.values.shape[1] + end // self.values.shape[1])

    @cached_property
    def _together(self) -> tuple[IntArray, IntArray]:
        """All ordered pairs of rows of one unit, each row with itself too."""
        order = np.argsort(self.unit_of, kind="stable")
        ends = np.flatnonzero(np.diff(self.unit_of[order])) + 1
        groups = np.split(order, ends)
        first = np.concatenate([np.repeat(group, len(group)) for group in groups])
        second = np.concatenate([np.tile(group, len(group)) for group in groups])
        return first.astype(np.int64), second.astype(np.int64)

    def distances(self, dealt: Weights, kernels: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Return by kernel the squared distance of the sides over what units alone make it; shape (dealings,) each.

        The distance is that of the sides' covariances of cosine waves of ranks, summed over pairs of different columns:
        every kernel of ranks is a weighted sum of such waves. Each column counts the same, whatever its ties.

        Args:
            dealt: Shape (units, dealings): 1 where a unit counts as real.
            kernels: The weights of the waves, by name.

        Source:
            Gretton et al. (2012), A kernel two-sample test; Blum, Kiefer and Rosenblatt (1961) for the waves of the
            distance kernel; Durrande et al. (2013) for sums over pairs (ANOVA kernels).
        """
        blocks = [dealt[:, start : start + BLOCK] > 0 for start in range(0, dealt.shape[1], BLOCK)]
        n_numbers = BLOCK * self.values.size
        found = in_tasks(_of_block, blocks, shared=(self, kernels), n_numbers=n_numbers)
        return {name: np.concatenate([block[name] for block in found]) for name in kernels}

    def of_block(self, is_real: BoolArray, kernels: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Return the distances of some dealings, shape (units, dealings)."""
        found = {name: np.ones(is_real.shape[1]) for name in kernels}
        for place, rows in enumerate(is_real[self.unit_of].T):
            if rows.all() or not rows.any():
                continue
            sides = self._sides(rows)
            for name, weights in kernels.items():
                found[name][place] = _apart(sides, weights)
        return found

    def _sides(self, is_real: BoolArray) -> tuple[_Side, _Side]:
        """Take ranks within each side; the real one first."""
        n, n_columns = self.values.shape
        first, last = self._ties
        real = is_real[self._order]
        so_far = np.zeros((n + 1, n_columns))
        np.cumsum(real, axis=0, out=so_far[1:])
        # Of the places up to each, those that are not real are simulated.
        twice = so_far.ravel()[first] + so_far.ravel()[last]
        n_real = float(so_far[-1, 0])
        of_place = np.where(real, twice / (2 * n_real), (self._ends - twice) / (2 * (n - n_real)))
        ranks = np.empty(self.values.shape)
        np.put_along_axis(ranks, self._order, of_place, axis=0)
        one = np.cos(np.pi * ranks)
        two = 2 * one**2 - 1
        waves = np.stack([one, two, 2 * one * two - one, 2 * two**2 - 1], axis=2)
        real_side, simulated = (self._side(waves, side) for side in (is_real, ~is_real))
        return real_side, simulated

    def _side(self, waves: FloatArray, rows: BoolArray) -> _Side:
        own = waves[rows]
        own -= own.mean(axis=0)
        flat = own.reshape(len(own), -1)
        place = np.cumsum(rows) - 1
        first, second = self._together
        kept = rows[first]
        products = own[place[first[kept]]] * own[place[second[kept]]]
        return _Side(len(own), flat.T @ flat / len(own), products)


def _of_block(told: tuple[Pairs, Mapping[str, FloatArray]], is_real: BoolArray) -> dict[str, FloatArray]:
    pairs, kernels = told
    return pairs.of_block(is_real, kernels)


def _apart(sides: tuple[_Side, _Side], weights: FloatArray) -> float:
    """Return the squared distance of two sides over what their units alone make it; 1 where these make nothing."""
    scaled = [side.scales(weights) for side in sides]
    real, simulated = (
        side.covariance * np.outer(scale.ravel(), scale.ravel())
        for side, scale in zip(sides, scaled, strict=True)
    )
    own = 0.0
    for side, scale in zip(sides, scaled, strict=True):
        shared = np.einsum("pcw,cw->pc", side.products, scale**2)
        own += float(((shared.sum(axis=1) ** 2).sum() - (shared**2).sum()) / 2) / side.n**2
    return _between_columns((real - simulated) ** 2) / own if own > TINY else 1.0


@dataclass(frozen=True)
class _Side:
    """Covariances of the waves of one side."""

    n: int
    """Rows."""
    covariance: FloatArray
    """Shape (columns * waves, columns * waves)."""
    products: FloatArray
    """Shape (pairs of rows of one unit, columns, waves): of waves less their means."""

    def scales(self, weights: FloatArray) -> FloatArray:
        """Return what each wave is multiplied by; shape (columns, waves)."""
        variance = np.diag(self.covariance).reshape(-1, N_WAVES)
        of_column = (variance * weights).sum(axis=1, keepdims=True)
        return np.asarray(np.sqrt(weights / np.where(of_column > TINY, of_column, np.inf)))


def _between_columns(squares: FloatArray) -> float:
    """Add up the entries of pairs of different columns, each pair once."""
    n = len(squares) // N_WAVES
    by_column = squares.reshape(n, N_WAVES, n, N_WAVES).sum(axis=(1, 3))
    return float((by_column.sum() - np.trace(by_column)) / 2)
