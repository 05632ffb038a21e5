"""The mean outcome of each of several groups that may share users, and how surely two groups differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

from convsim.schema.arrays import FloatArray, IntArray

NOTHING = 1e-9
"""A difference below, beside the largest level, is a rounding error of none."""


@dataclass(frozen=True)
class GroupLevels:
    """Outcomes added up by unit and group: all that a draw of units needs."""

    sums: FloatArray
    """Shape (units, groups): of outcomes."""
    counts: FloatArray
    """Shape (units, groups): of conversations."""

    @classmethod
    def of(
        cls, values: FloatArray, group_of: IntArray, unit_of: IntArray, shape: tuple[int, int]
    ) -> GroupLevels:
        """Add up ``values``, shape (n,), none of them NaN; ``shape`` is the number of units and of groups."""
        sums, counts = np.zeros(shape), np.zeros(shape)
        np.add.at(sums, (unit_of, group_of), values)
        np.add.at(counts, (unit_of, group_of), 1.0)
        return cls(sums, counts)

    @property
    def n_units(self) -> IntArray:
        """Shape (groups,): units that met each group."""
        return np.asarray((self.counts > 0).sum(axis=0), np.int64)

    def means(self, weights: FloatArray) -> FloatArray:
        """Return the mean outcome of each group, shape (draws, groups); NaN where a draw has none of it.

        Args:
            weights: Shape (units, draws): how often each unit was drawn.
        """
        below = weights.T @ self.counts
        return divided(weights.T @ self.sums, below)

    def drawn(self, weights: FloatArray) -> DrawnLevels:
        """Return levels and their covariances in each draw of units; ``weights`` as in ``means``.

        A group's mean is a ratio over units. The covariance of two is the sum of products of the units' influence on
        them, so that what one user says of two groups is taken as said by one user: where all users met both, the
        difference is the paired one, and where none did, that of two samples.

        Source:
            Kish (1965), Survey sampling (the variance of a ratio); Liang and Zeger (1986), Longitudinal data analysis
            using generalized linear models (sums by unit), with n / (n - 1) for n units of a group.
        """
        weights = np.asarray(weights, np.float64)
        means = self.means(weights)
        total = weights.T @ self.counts
        n = weights.T @ (self.counts > 0)
        grown = np.sqrt(divided(n, n - 1))
        covariance = np.empty((weights.shape[1], means.shape[1], means.shape[1]))
        scale = divided(grown, total)
        for draw, of_units in enumerate(weights.T):
            influence = (self.sums - np.nan_to_num(means[draw]) * self.counts) * scale[draw]
            covariance[draw] = (influence * of_units[:, None]).T @ influence
        return DrawnLevels(means, covariance, n)


@dataclass(frozen=True)
class DrawnLevels:
    """Levels of groups in draws of units, and of all pairs of groups their difference."""

    means: FloatArray
    """Shape (draws, groups)."""
    covariance: FloatArray
    """Shape (draws, groups, groups)."""
    n_units: FloatArray
    """Shape (draws, groups): units that met the group."""

    @cached_property
    def differences(self) -> FloatArray:
        """Shape (draws, pairs): the first group's level less the second's, in the order of ``pairs_of``."""
        first, second = pairs_of(self.means.shape[1])
        found = self.means[:, first] - self.means[:, second]
        size = np.nan_to_num(np.abs(self.means)).max(axis=1, keepdims=True, initial=0.0)
        return np.where(np.abs(found) <= NOTHING * size, 0.0, found)

    @cached_property
    def errors(self) -> FloatArray:
        """Shape (draws, pairs): standard errors of the differences."""
        first, second = pairs_of(self.means.shape[1])
        variances = np.diagonal(self.covariance, axis1=1, axis2=2)
        squares = variances[:, first] + variances[:, second] - 2 * self.covariance[:, first, second]
        return np.sqrt(np.maximum(squares, 0.0))

    @cached_property
    def p_above(self) -> FloatArray:
        """Shape (draws, pairs): p-values of H0 "the first group's level is at most the second's".

        Student's t with one degree of freedom less than units met the group that fewer met, which errs to the
        cautious side; 1 where a level or its error is not known.
        """
        return self._p_values(1)

    @cached_property
    def p_below(self) -> FloatArray:
        """Shape (draws, pairs): p-values of H0 "the first group's level is at least the second's"."""
        return self._p_values(-1)

    @cached_property
    def p_two_sided(self) -> FloatArray:
        """Shape (draws, pairs): p-values of H0 "both groups have the same level"."""
        return np.asarray(np.minimum(1.0, 2 * np.minimum(self.p_above, self.p_below)), np.float64)

    @property
    def freedom(self) -> FloatArray:
        """Shape (draws, pairs): degrees of freedom of the differences; 0 where there are none."""
        first, second = pairs_of(self.means.shape[1])
        return np.asarray(
            np.maximum(np.minimum(self.n_units[:, first], self.n_units[:, second]) - 1, 0), np.float64
        )

    def _p_values(self, sign: int) -> FloatArray:
        return t_p_values(sign * self.differences, self.errors, self.freedom)


def t_p_values(differences: FloatArray, errors: FloatArray, freedom: FloatArray) -> FloatArray:
    """Return one-sided p-values of H0 "the difference is at most 0"; 1 where one is not known or exactly 0.

    Where nothing varies within groups a difference has no error: it is then shown for sure.
    """
    from scipy.special import stdtr

    known = np.isfinite(differences) & np.isfinite(errors) & (freedom > 0)
    steps = np.divide(differences, errors, out=np.full(differences.shape, np.nan), where=known & (errors > 0))
    sure = np.where(known & (errors == 0) & (differences > 0), 0.0, 1.0)
    of_steps = stdtr(np.maximum(freedom, 1), -np.nan_to_num(steps))
    return np.asarray(np.where(np.isnan(steps), sure, of_steps), np.float64)


def pairs_of(n_groups: int) -> tuple[IntArray, IntArray]:
    """Return the first and the second group of each pair, both of shape (pairs,)."""
    pairs = np.asarray([*combinations(range(n_groups), 2)], np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def divided(above: npt.NDArray[np.number], below: npt.NDArray[np.number]) -> FloatArray:
    """Divide, with NaN where there is nothing above 0 to divide by."""
    quotient: FloatArray = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below > 0)
    return quotient
