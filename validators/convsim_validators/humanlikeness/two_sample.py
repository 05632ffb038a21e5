"""Do the two sides' features differ at all? A permutation test that uses every row and splits nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from convsim.schema.arrays import FloatArray, IntArray
from convsim.stats.resampling import Weights

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from convsim.stats.discriminator import Features

Reduce = Callable[[FloatArray], FloatArray]

MIN_ROWS = 8
"""A feature that fewer rows have, or lack, is not looked at alone: its proportions are steps."""
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
        spread = self.values.std(axis=1, keepdims=True)
        scaled = np.divide(
            self.values - self.values.mean(axis=1, keepdims=True),
            spread,
            out=np.zeros_like(self.values),
            where=spread > 0,
        )
        top: FloatArray = scaled.max(axis=0, initial=0.0)
        return top


def distances(kinds: Sequence[Compared], unit_of: IntArray, dealt: Weights) -> Distances:
    """Compute two statistics of each kind of features under each dealing of the sides.

    One is the squared distance of the sides' mean rows, which sees many small differences; the other the largest
    difference of a single column in its standard errors, which sees one. Both stay as they are at equality where one
    side's units have more conversations than the other's: the first leaves out what each unit adds by being compared
    with itself (its expectation is then 0), the second has standard errors of its own in each dealing.

    Args:
        kinds: Features, of the same rows.
        unit_of: Shape (rows,): the unit of each row.
        dealt: Shape (units, 1 + permutations): 1 where a unit counts as real; as observed in the first column.

    Source:
        Gretton et al. (2012), A kernel two-sample test, JMLR 13 (maximum mean discrepancy, unbiased, with a linear
        kernel); Chung and Romano (2013), Exact and asymptotically robust permutation tests, Annals of Statistics 41.
    """
    from scipy.sparse import csr_matrix

    n_rows = len(unit_of)
    by_unit = csr_matrix((np.ones(n_rows), (unit_of, np.arange(n_rows))), shape=(len(dealt), n_rows))
    sizes = np.asarray(by_unit.sum(axis=1), np.float64).ravel()
    n_real = sizes @ dealt.astype(np.float64)
    contrast = np.where(dealt > 0, 1 / n_real, -1 / (sizes.sum() - n_real))
    rows: list[FloatArray] = []
    largest: tuple[float, tuple[int, int] | None] = (0.0, None)
    for number, kind in enumerate(kinds):
        rows.append(_Sums.of(by_unit, kind.weighed, sizes).squared_distance(contrast))
        columns = _comparable(kind.single)
        if not len(columns):
            continue
        single = _Sums.of(by_unit, kind.single[:, columns], sizes)
        rows.append(single.largest(contrast))
        apart = single.in_standard_errors(contrast[:, :1])[:, 0]
        if apart.max() > largest[0]:
            largest = float(apart.max()), (number, int(columns[apart.argmax()]))
    return Distances(np.stack(rows), largest[1])


@dataclass(frozen=True)
class _Sums:
    """Sums of the rows of each unit, and what their squared distances from the mean need."""

    of_unit: Features
    """Shape (units, columns)."""
    sizes: FloatArray
    """Shape (units,): rows of each."""
    mean: FloatArray
    """Shape (columns,): of all rows."""

    @classmethod
    def of(cls, by_unit: csr_matrix, features: Features, sizes: FloatArray) -> _Sums:
        of_unit: Features = by_unit @ features
        mean = np.asarray(of_unit.sum(axis=0), np.float64).ravel() / sizes.sum()
        return cls(of_unit, sizes, mean)

    def squared_distance(self, contrast: FloatArray) -> FloatArray:
        """Return the squared distance of the sides' means less each unit's own part; shape (permutations,)."""
        squares = np.asarray(_squared(self.of_unit).sum(axis=1), np.float64).ravel()
        along = np.asarray(self.of_unit @ self.mean, np.float64).ravel()
        own = squares - 2 * self.sizes * along + self.sizes**2 * float(self.mean @ self.mean)
        whole = self._in_blocks(contrast, lambda block: (self._apart(block) ** 2).sum(axis=0))
        return np.asarray(whole - own @ contrast**2, np.float64)

    def largest(self, contrast: FloatArray) -> FloatArray:
        """Return the largest difference of a column in its standard errors; shape (permutations,)."""
        return self._in_blocks(contrast, lambda block: self.in_standard_errors(block).max(axis=0))

    def in_standard_errors(self, contrast: FloatArray) -> FloatArray:
        """Return the sides' differences, whatever their sign, by units' own errors; shape (columns, permutations)."""
        from scipy.sparse import diags

        squared = contrast**2
        weighed = diags(self.sizes) @ self.of_unit
        variance = (
            np.asarray(_squared(self.of_unit).T @ squared, np.float64)
            - 2 * self.mean[:, None] * np.asarray(weighed.T @ squared, np.float64)
            + self.mean[:, None] ** 2 * (self.sizes**2 @ squared)
        )
        apart = np.abs(self._apart(contrast))
        errors = np.sqrt(variance.clip(min=0))
        return np.asarray(
            np.divide(apart, errors, out=np.zeros_like(apart), where=variance > TINY), np.float64
        )

    def _apart(self, contrast: FloatArray) -> FloatArray:
        return np.asarray(self.of_unit.T @ contrast, np.float64)

    def _in_blocks(self, contrast: FloatArray, reduce: Reduce) -> FloatArray:
        size = max(1, MAX_NUMBERS // max(1, len(self.mean)))
        starts = range(0, contrast.shape[1], size)
        return np.concatenate([reduce(contrast[:, start : start + size]) for start in starts])


def _squared(features: Features) -> Features:
    return features**2 if isinstance(features, np.ndarray) else features.multiply(features).tocsr()


def _comparable(single: Features) -> IntArray:
    """Return the columns that vary; of counts, those that enough rows have and lack."""
    dense = isinstance(single, np.ndarray)
    present = np.count_nonzero(single, axis=0) if isinstance(single, np.ndarray) else single.getnnz(axis=0)
    mean = np.asarray(single.mean(axis=0), np.float64).ravel()
    variance = np.asarray(_squared(single).mean(axis=0), np.float64).ravel() - mean**2
    enough = (present >= MIN_ROWS) & (variance > TINY)
    return np.flatnonzero(enough if dense else enough & (single.shape[0] - present >= MIN_ROWS))
