"""Do the two sides' features differ at all? A permutation test that uses every row and splits nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.multiplicity import studentised
from convsim.stats.resampling import Weights, in_blocks
from convsim.stats.tasks import in_tasks
from convsim.stats.variance_components import VarianceComponents, difference_of_means

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from convsim.stats.discriminator import Features

Reduce = Callable[[FloatArray], FloatArray]

MIN_ROWS = 8
"""A feature that fewer have, or lack, is not looked at alone: its proportions are steps."""
TINY = 1e-12
"""A variance below is none."""
MAX_NUMBERS = 4_000_000
"""Sums held at a time; bounds memory at any number of features."""


class Compared(NamedTuple):
    """Features of one kind, of both sides' rows."""

    weighed: Features
    """Shape (rows, columns): what the distance of the sides' means is of."""
    single: Features
    """Shape (rows, columns): what is compared column by column, each on its own scale."""


@dataclass(frozen=True)
class Distances:
    """How far apart the sides lie, as they are and as they are dealt anew."""

    values: FloatArray
    """Shape (statistics, 1 + permutations): the sides as they are stand first."""
    largest: tuple[int, int] | None
    """Which kind of features, and which column of it, differs most on its own scale; None if none was looked at."""

    @property
    def studentised(self) -> FloatArray:
        """Shape (1 + permutations,): the largest of the statistics, each in its own standard deviations."""
        return np.asarray(studentised(self.values).max(axis=0, initial=0.0))


def distances(kinds: Sequence[Compared], unit_of: IntArray, dealt: Weights) -> Distances:
    """Compute two statistics of each kind of features under each dealing of the sides.

    One is the squared distance of the sides' mean rows, which sees many small differences; the other the largest
    difference of a single column, which sees one. Each is divided by what it would be at equality in the same dealing:
    the first by what units add to it by being compared with themselves, the second by its standard error, given the
    variance within and between units of both sides together. Else users of one conversation would be told from users of
    several, for a dealing that mixes them has means of other precision.

    Args:
        kinds: Features, of the same rows.
        unit_of: Shape (rows,): the unit of each row.
        dealt: Shape (units, 1 + permutations): 1 where a unit counts as real; as observed in the first column.

    Source:
        Gretton et al. (2012), A kernel two-sample test, JMLR 13 (maximum mean discrepancy with a linear
        kernel); Chung and Romano (2013), Exact and asymptotically robust permutation tests, Annals of Statistics 41, on
        studentised permutations; the components of variance are those of an analysis of variance with one factor.
    """
    n_numbers = max((kind.weighed.size for kind in kinds), default=0)
    rows: list[FloatArray] = []
    largest: tuple[float, tuple[int, int] | None] = (0.0, None)
    of_kinds = in_tasks(_of_kind, kinds, shared=_DealtUnits(unit_of, dealt > 0), n_numbers=n_numbers)
    for number, found in enumerate(of_kinds):
        rows += found.rows
        if found.largest > largest[0]:
            largest = found.largest, (number, found.column)
    return Distances(np.stack(rows), largest[1])


class _DealtUnits(NamedTuple):
    """Units of rows, shape (rows,), and which count as real, shape (units, 1 + permutations)."""

    unit_of: IntArray
    is_real: BoolArray


class _OfKind(NamedTuple):
    """The statistics of one kind of features, each of shape (1 + permutations,), and the column that differs most."""

    rows: list[FloatArray]
    largest: float
    column: int


def _of_kind(units: _DealtUnits, kind: Compared) -> _OfKind:
    dealt = units.is_real.astype(np.uint8)
    by_unit, sizes = _units_of(units.unit_of, len(dealt))
    distance = _over(dealt, sizes, _Sums.of(by_unit, kind.weighed, sizes).squared_distance)
    columns = _comparable(kind.single, units.unit_of, units.is_real[:, 0])
    if not len(columns):
        return _OfKind([distance], 0.0, 0)
    single = _Sums.of(by_unit, kind.single[:, columns], sizes)
    apart = single.in_standard_errors(difference_of_means(dealt[:, :1], sizes))[:, 0]
    return _OfKind(
        [distance, _over(dealt, sizes, single.largest)], float(apart.max()), int(columns[apart.argmax()])
    )


def _over(dealt: Weights, sizes: FloatArray, compute: Reduce) -> FloatArray:
    """Compute a statistic of each dealing, of as many at a time as fit into memory."""
    return np.concatenate([compute(difference_of_means(some, sizes)) for some in in_blocks(dealt)])


def by_column(features: FloatArray, unit_of: IntArray, dealt: Weights) -> FloatArray:
    """Return the difference of each column's means, whatever its sign, in standard errors under each dealing.

    Args:
        features: Shape (rows, columns).
        unit_of: Shape (rows,): the unit of each row.
        dealt: Shape (units, 1 + permutations): 1 where a unit counts as real; as observed in the first column.

    Returns:
        Shape (columns, 1 + permutations): what ``distances`` takes the largest of.
    """
    by_unit, sizes = _units_of(unit_of, len(dealt))
    sums = _Sums.of(by_unit, features, sizes)
    parts = (sums.in_standard_errors(difference_of_means(some, sizes)) for some in in_blocks(dealt))
    return np.concatenate([*parts], axis=1)


def _units_of(unit_of: IntArray, n_units: int) -> tuple[csr_matrix, FloatArray]:
    """Return which rows are of each unit, shape (units, rows), and how many."""
    from scipy.sparse import csr_matrix

    n_rows = len(unit_of)
    by_unit = csr_matrix((np.ones(n_rows), (unit_of, np.arange(n_rows))), shape=(n_units, n_rows))
    return by_unit, np.asarray(by_unit.sum(axis=1), np.float64).ravel()


@dataclass(frozen=True)
class _Sums:
    """Sums of the rows of each unit, and how much of the rows' variance lies between units."""

    of_unit: Features
    """Shape (units, columns)."""
    own: FloatArray
    """Shape (units,): squared distance of each unit's sum from what the mean of all rows would make it."""
    components: VarianceComponents

    @classmethod
    def of(cls, by_unit: csr_matrix, features: Features, sizes: FloatArray) -> _Sums:
        of_unit: Features = by_unit @ features
        mean = _total(of_unit) / sizes.sum()
        along = np.asarray(of_unit @ mean, np.float64)
        own = _total(_squared(of_unit), axis=1) - 2 * sizes * along + sizes**2 * float(mean @ mean)
        mean_square = _total(_squared(features)) / sizes.sum()
        return cls(of_unit, own, VarianceComponents.of(of_unit, sizes, mean_square))

    def squared_distance(self, apart_by: FloatArray) -> FloatArray:
        """Return the squared distance of the sides' means over what units alone make it; shape (permutations,)."""
        by_themselves = self.own @ apart_by**2
        whole = self._in_blocks(apart_by, lambda block: (self._apart(block) ** 2).sum(axis=0))
        return np.asarray(
            np.divide(whole, by_themselves, out=np.ones_like(whole), where=by_themselves > TINY), np.float64
        )

    def largest(self, apart_by: FloatArray) -> FloatArray:
        """Return the largest difference of a column in its standard errors; shape (permutations,)."""
        return self._in_blocks(apart_by, lambda block: self.in_standard_errors(block).max(axis=0))

    def in_standard_errors(self, apart_by: FloatArray) -> FloatArray:
        """Return the sides' differences, whatever their sign, in standard errors; shape (columns, permutations)."""
        errors = self.components.errors((apart_by > 0).astype(np.float32))
        apart = np.abs(self._apart(apart_by))
        return np.asarray(np.divide(apart, errors, out=np.zeros_like(apart), where=errors > TINY), np.float64)

    def _apart(self, apart_by: FloatArray) -> FloatArray:
        return np.asarray(self.of_unit.T @ apart_by, np.float64)

    def _in_blocks(self, apart_by: FloatArray, reduce: Reduce) -> FloatArray:
        size = max(1, MAX_NUMBERS // max(1, len(self.components.within)))
        starts = range(0, apart_by.shape[1], size)
        return np.concatenate([reduce(apart_by[:, start : start + size]) for start in starts])


def _total(features: Features, axis: int = 0) -> FloatArray:
    return np.asarray(features.sum(axis=axis), np.float64).ravel()


def _squared(features: Features) -> Features:
    return features**2 if isinstance(features, np.ndarray) else features.multiply(features).tocsr()


def _comparable(single: Features, unit_of: IntArray, is_real: BoolArray) -> IntArray:
    """Return the columns that vary; of counts, those that enough rows have and lack."""
    mean = _total(single) / single.shape[0]
    variance = _total(_squared(single)) / single.shape[0] - mean**2
    if isinstance(single, np.ndarray):
        return np.flatnonzero(variance > TINY)
    return np.flatnonzero((variance > TINY) & enough_rows(np.minimum(mean, 1 - mean), unit_of, is_real))


def enough_rows(share: FloatArray, unit_of: IntArray, is_real: BoolArray) -> BoolArray:
    """Tell which columns can be looked at alone, by the share of rows that have something in them.

    Where units have different numbers of rows, dealings differ in more than precision: a mean of few units is skewed.
    Then a column is looked at only if enough units of the smaller side should have it.

    Args:
        share: Shape (columns,).
        unit_of: Shape (rows,): the unit of each row.
        is_real: Shape (units,).
    """
    rows_of = np.bincount(unit_of, minlength=len(is_real))
    equal = len(np.unique(rows_of[rows_of > 0])) == 1
    n = len(unit_of) if equal else min(int(is_real[rows_of > 0].sum()), int((~is_real[rows_of > 0]).sum()))
    return np.asarray(share * n >= MIN_ROWS, bool)
