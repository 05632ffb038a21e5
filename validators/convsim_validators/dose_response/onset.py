"""The lowest severity at which a metric differs from the bare agent's, tested from the highest downwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.stats.decision import ALPHA
from convsim.stats.ecdf import FloatArray
from convsim.stats.multiplicity import permutation_p_value
from convsim.stats.permutation import relabelled
from convsim.stats.resampling import IntArray
from convsim.stats.severity_levels import Cells

if TYPE_CHECKING:
    from numpy.random import Generator


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
