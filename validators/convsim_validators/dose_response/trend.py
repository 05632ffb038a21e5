"""Does a metric rise or fall as severity grows, and from which severity on?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.decision import ALPHA
from convsim.stats.multiplicity import permutation_p_value
from convsim.stats.permutation import relabelled
from convsim.stats.severity_levels import Cells

if TYPE_CHECKING:
    from numpy.random import Generator

TrendTest = Literal["page", "jonckheere_terpstra"]
TOLERANCE = 1e-9
"""Below it a centred statistic, or its spread, is rounding."""


@dataclass(frozen=True)
class Trends:
    """The trend of each metric, and of all under the same permutations."""

    test: TrendTest
    statistics: FloatArray
    """Shape (metrics,): Page's L or J as published; centred at its expectation it has the trend's sign."""
    p_values: FloatArray
    """Shape (metrics,), two-sided."""
    all_z: FloatArray
    """Shape (1 + permutations, metrics): as observed first, standardised; 0 where no permutation changes anything."""
    joint: BoolArray
    """Shape (metrics,): the metrics of the joint question."""

    @property
    def z(self) -> FloatArray:
        """Shape (metrics,): as observed."""
        observed: FloatArray = self.all_z[0]
        return observed

    @property
    def largest(self) -> FloatArray:
        """Shape (permutations,): the largest |z| over the metrics of the joint question."""
        return np.asarray(np.abs(self.all_z[1:, self.joint]).max(axis=1, initial=0.0))

    @classmethod
    def of(
        cls, cells: Cells, *, paired: bool, joint: BoolArray, n_permutations: int, rng: Generator
    ) -> Trends:
        """Test each metric by permutation, and those of ``joint``, shape (metrics,), together.

        H0: a unit's values do not depend on severity. Rejecting it says that a metric changes steadily with
        severity; a change that turns back half-way need not be seen.

        Source:
            Page (1963), Ordered hypotheses for multiple treatments, JASA 58; Jonckheere (1954), Biometrika 41;
            Terpstra (1952). Ties count with their mean rank, respectively one half; p-values are by permutation.
        """
        centred = _page(cells) if paired else _jonckheere_terpstra(cells)
        observed = centred(cells.level_of[None])[0]
        drawn = np.concatenate([centred(levels) for levels in relabelled(cells, n_permutations, rng)])
        p_values = [
            permutation_p_value(abs(one), np.abs(null)) for one, null in zip(observed, drawn.T, strict=True)
        ]
        everything = np.concatenate([observed[None], drawn])
        spread = everything.std(axis=0)
        spread[spread < TOLERANCE] = np.inf
        z = (everything - everything.mean(axis=0)) / spread
        return cls(
            "page" if paired else "jonckheere_terpstra",
            observed + _expected(cells, paired=paired),
            np.asarray(p_values),
            z,
            joint,
        )


Statistic = Callable[[IntArray], FloatArray]
"""From levels of shape (permutations, cells) to centred statistics of shape (permutations, metrics)."""


def _page(cells: Cells) -> Statistic:
    ranks = _centred_ranks(cells)
    return lambda levels: levels @ ranks


def _centred_ranks(cells: Cells) -> FloatArray:
    """Return mid-ranks within each unit less their mean; 0 where a unit lacks the metric."""
    from scipy.stats import rankdata

    n_levels = int(cells.level_of.max(initial=-1)) + 1
    blocks = cells.values.reshape(cells.n_units, n_levels, -1)
    ranks = rankdata(np.nan_to_num(blocks), axis=1) - (n_levels + 1) / 2
    centred: FloatArray = np.where(np.isnan(blocks).any(axis=1, keepdims=True), 0.0, ranks)
    return centred.reshape(cells.values.shape)


def _jonckheere_terpstra(cells: Cells) -> Statistic:
    columns = [np.flatnonzero(~np.isnan(column)) for column in cells.values.T]
    upwards = [c[np.argsort(cells.values[c, i], kind="stable")] for i, c in enumerate(columns)]
    # Once with ties in one order and once in the other: on average a tied pair counts one half.
    downwards = [c[::-1][np.argsort(cells.values[c[::-1], i], kind="stable")] for i, c in enumerate(columns)]

    def centred(levels: IntArray) -> FloatArray:
        small = levels.astype(np.int16)
        found = []
        for up, down in zip(upwards, downwards, strict=True):
            rising = _rising_pairs(small[:, up])
            if (up != down).any():
                rising = (rising + _rising_pairs(small[:, down])) / 2
            found.append(rising - _pairs(small[:, up]) / 2)
        return np.column_stack(found) if found else np.zeros((len(levels), 0))

    return centred


def _rising_pairs(levels: np.ndarray) -> FloatArray:
    """Count the pairs of which the later has the higher level, for levels of shape (permutations, cells)."""
    found = np.zeros(len(levels))
    for level in range(int(levels.max(initial=0))):
        before = np.cumsum(levels == level, axis=1, dtype=np.int32)
        found += np.where(levels > level, before, 0).sum(axis=1)
    return found


def _pairs(levels: np.ndarray) -> FloatArray:
    """Count the pairs of different levels."""
    counts = [(levels == level).sum(axis=1) for level in range(int(levels.max(initial=0)) + 1)]
    same = sum(count.astype(np.float64) ** 2 for count in counts)
    pairs: FloatArray = (levels.shape[1] ** 2 - same) / 2
    return pairs


def _expected(cells: Cells, *, paired: bool) -> FloatArray:
    n_levels = int(cells.level_of.max(initial=-1)) + 1
    defined = ~np.isnan(cells.values)
    if paired:
        n_blocks = np.asarray(defined[cells.level_of == 0].sum(axis=0), np.float64)
        return n_blocks * n_levels * (n_levels + 1) ** 2 / 4
    return np.asarray([_pairs(cells.level_of[None, keep])[0] / 2 for keep in defined.T])


@dataclass(frozen=True)
class Onset:
    """Where a metric begins to react."""

    severity: float | None
    """None: not even the highest severity differs from severity 0."""
    p_values: tuple[float | None, ...]
    """One a severity, ascending; None at severity 0 and where the sequence had stopped."""


def differences(cells: Cells, n_levels: int, n_permutations: int, rng: Generator) -> FloatArray:
    """Return two-sided p-values of "the mean at this level is that at level 0"; shape (levels, metrics).

    By permutation of the two levels: of units that were seen at both, within them (the sign-flip test of paired
    differences), of others between them. NaN at level 0, and where a metric is undefined at one of both.
    """
    p_values = np.full((n_levels, cells.values.shape[1]), np.nan)
    for level in range(1, n_levels):
        pair = _only(cells, level)
        if not len(pair.level_of):
            continue
        observed = _difference(pair, pair.level_of[None])[0]
        drawn = np.concatenate(
            [_difference(pair, levels) for levels in relabelled(pair, n_permutations, rng)]
        )
        for metric in np.flatnonzero(~np.isnan(observed)):
            null = np.abs(np.nan_to_num(drawn[:, metric]))
            p_values[level, metric] = permutation_p_value(abs(float(observed[metric])), null)
    return p_values


def onset(severities: FloatArray, p_values: FloatArray) -> Onset:
    """Go down from the highest severity at 5 % each and stop at the first that is not significant.

    The order is fixed beforehand, so that all of it together errs in 5 %.

    Args:
        severities: Shape (levels,), ascending, the first of them 0.
        p_values: Shape (levels,), of one metric.

    Source:
        Fixed-sequence procedure: Maurer, Hothorn and Lehmacher (1995), Multiple comparisons in drug clinical trials
        and preclinical assays, in Vollmar (ed.), Biometrie in der chemisch-pharmazeutischen Industrie 6.
    """
    tested: list[float | None] = [None] * len(severities)
    found: float | None = None
    for level in range(len(severities) - 1, 0, -1):
        if np.isnan(p_values[level]):
            break
        tested[level] = float(p_values[level])
        if p_values[level] > ALPHA:
            break
        found = float(severities[level])
    return Onset(found, tuple(tested))


def _only(cells: Cells, level: int) -> Cells:
    """Keep the cells at ``level`` and at 0, the former called 1."""
    kept = (cells.level_of == 0) | (cells.level_of == level)
    units, unit_of = np.unique(cells.unit_of[kept], return_inverse=True)
    return Cells(
        unit_of.astype(np.int64),
        (cells.level_of[kept] > 0).astype(np.int64),
        cells.values[kept],
        len(units),
    )


def _difference(cells: Cells, levels: IntArray) -> FloatArray:
    """Mean at level 1 less that at level 0; shape (permutations, metrics)."""
    y, defined = np.nan_to_num(cells.values), (~np.isnan(cells.values)).astype(np.float64)
    treated, total = levels @ y, y.sum(axis=0)
    n_treated, n_total = levels @ defined, defined.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        difference: FloatArray = treated / n_treated - (total - treated) / (n_total - n_treated)
    return difference
