"""Do outcomes rise along groups whose order is known? A rank trend within units and between them, by permutation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema.arrays import FloatArray, IntArray
from convsim.stats.group_levels import GroupLevels
from convsim.stats.multiplicity import permutation_p_value, studentised
from convsim.stats.permutation import relabelled
from convsim.stats.severity_levels import Cells

if TYPE_CHECKING:
    from numpy.random import Generator

N_PERMUTATIONS = 999


@dataclass(frozen=True)
class OrderedTrend:
    """Rank trends as observed and with groups dealt anew, and what they say."""

    within: FloatArray
    """Shape (1 + permutations,): the sum over units of places times ranks within the unit, both centred."""
    between: FloatArray
    """Shape (1 + permutations,): the same of units' mean places and their ranks among units."""

    @classmethod
    def of(cls, levels: GroupLevels, rng: Generator, *, n_permutations: int = N_PERMUTATIONS) -> OrderedTrend:
        """Test whether outcomes rise with the place of their group.

        H0: what a unit says does not depend on the group. Whole sets of groups change places among units that met as
        many, and groups are dealt anew within units.

        Args:
            levels: Sums and counts; the groups stand in the known order, the lowest first.
            rng: Deals the groups.
            n_permutations: How often.

        Source:
            Page (1963), Ordered hypotheses for multiple treatments: within units, where each met all groups; Cuzick
            (1985), A Wilcoxon-type test for trend: between units, where each met one. Their sum, each on the scale of
            its permutations, where some units met several; p-values by Phipson and Smyth (2010).
        """
        cells = _cells(levels)
        values = cells.values[:, 0]
        within = _centred(_ranks_within(values, cells.unit_of), cells.unit_of, cells.n_units)
        of_units = _unit_means(values, cells.unit_of, cells.n_units)
        among = _ranks(of_units) - (cells.n_units + 1) / 2
        size = np.bincount(cells.unit_of, minlength=cells.n_units)
        dealt = [cells.level_of[None, :], *relabelled(cells, n_permutations, rng)]
        # Each cell's part: within units its centred rank, between them its unit's rank over the unit's cells.
        share = (among / size)[cells.unit_of]
        return cls(
            np.concatenate([each @ within for each in dealt]),
            np.concatenate([each @ share for each in dealt]),
        )

    @property
    def together(self) -> FloatArray:
        """Shape (1 + permutations,): both trends on the scales of their permutations, added up."""
        return np.asarray(studentised(np.stack([self.within, self.between])).sum(axis=0), np.float64)

    @property
    def p_rising(self) -> float:
        """The p-value against a trend upwards."""
        return permutation_p_value(float(self.together[0]), self.together[1:])

    @property
    def p_falling(self) -> float:
        """The p-value against a trend downwards."""
        return permutation_p_value(-float(self.together[0]), -self.together[1:])


def _cells(levels: GroupLevels) -> Cells:
    unit_of, group_of = np.nonzero(levels.counts)
    _, dense = np.unique(unit_of, return_inverse=True)
    means = levels.sums[unit_of, group_of] / levels.counts[unit_of, group_of]
    return Cells(dense.astype(np.int64), group_of, means[:, None], int(dense.max(initial=-1)) + 1)


def _ranks(values: FloatArray) -> FloatArray:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), np.float64)


def _ranks_within(values: FloatArray, unit_of: IntArray) -> FloatArray:
    """Rank the values of each unit among themselves; rows of one unit stand together."""
    starts = np.flatnonzero(np.diff(unit_of, prepend=-1))
    return np.concatenate([_ranks(part) for part in np.split(values, starts[1:])])


def _unit_means(values: FloatArray, unit_of: IntArray, n_units: int) -> FloatArray:
    return np.asarray(np.bincount(unit_of, values, n_units) / np.bincount(unit_of, minlength=n_units))


def _centred(values: FloatArray, unit_of: IntArray, n_units: int) -> FloatArray:
    return np.asarray(values - _unit_means(values, unit_of, n_units)[unit_of])
