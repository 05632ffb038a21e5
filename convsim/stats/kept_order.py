"""Is the order of several groups kept by others? Pairs that are told apart, those kept and reversed, tau and rho."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convsim.schema.arrays import BoolArray, FloatArray
from convsim.stats.group_levels import DrawnLevels, divided, pairs_of, t_p_values

if TYPE_CHECKING:
    from numpy.random import Generator

Signs = npt.NDArray[np.int8]
"""Shape (draws, pairs): 1 where the first group stands above the second, -1 below, 0 where they are tied."""
SHOWN = 0.05
"""One-sided: from which p-value on others show a pair in an order."""
N_PREDICTED = 1999


def holm(p_values: FloatArray) -> FloatArray:
    """Adjust the p-values of each row, shape (draws, questions), for its number of questions (Holm 1979)."""
    n = p_values.shape[1]
    order = np.argsort(p_values, axis=1, kind="stable")
    stepped = np.take_along_axis(p_values, order, axis=1) * np.arange(n, 0, -1)
    adjusted = np.empty_like(p_values)
    np.put_along_axis(adjusted, order, np.minimum(np.maximum.accumulate(stepped, axis=1), 1.0), axis=1)
    return adjusted


def told_apart(levels: DrawnLevels, *, alpha: float) -> Signs:
    """Say which pairs of groups are told apart beyond chance, and in which order; the others are ties.

    H0 of a pair: both groups have the same level. Holm's correction over all pairs, in each draw anew.
    """
    told = holm(levels.p_two_sided) <= alpha
    return np.asarray(np.where(told, np.sign(levels.differences), 0), np.int8)


@dataclass(frozen=True)
class KeptOrder:
    """How others order the pairs that are told apart, in each draw; NaN where nothing is told apart.

    Source:
        Kendall (1945), The treatment of ties in ranking problems (tau-b, here of the pairs' signs, since "cannot be
        told apart" need not be transitive); Spearman's rho with mid-ranks: of the number of groups that each stands
        above less those that it stands below, which for an order with ties are its mid-ranks.
    """

    told: Signs
    shown: DrawnLevels
    """The levels of those who are asked whether they keep the order."""
    same: BoolArray
    """Shape (draws, pairs): told apart, and in the same order by level."""
    kept: BoolArray
    """Shape (draws, pairs): the same, and shown so."""
    opposite: BoolArray
    """Shape (draws, pairs): told apart, and in the opposite order by level."""

    @classmethod
    def of(cls, told: Signs, shown: DrawnLevels) -> KeptOrder:
        """Hold the levels of others against pairs that are told apart."""
        signs = np.sign(np.nan_to_num(shown.differences))
        same, opposite = (told != 0) & (signs == told), (told != 0) & (signs == -told)
        p_same = np.where(told > 0, shown.p_above, shown.p_below)
        return cls(told, shown, same, same & (p_same <= SHOWN), opposite)

    @property
    def p_reversed(self) -> FloatArray:
        """Shape (draws, pairs): p-values of H0 "the pair is not in the opposite order"; 1 where it is not told apart.

        Holm's correction over the pairs that are told apart.
        """
        of_pairs = np.where(self.told > 0, self.shown.p_below, self.shown.p_above)
        adjusted = np.ones(of_pairs.shape)
        for draw, told in enumerate(self.told != 0):
            if told.any():
                adjusted[draw, told] = holm(of_pairs[draw, told][None, :])[0]
        return adjusted

    def numbers(self) -> Mapping[str, FloatArray]:
        """Return the numbers of the order, each of shape (draws,).

        ``agreement``, ``kept`` and ``opposite`` are proportions of the pairs that are told apart; ``tau_b`` and
        ``spearman`` are undefined for two groups, where one pair is all that there is.
        """
        n = (self.told != 0).sum(axis=1)
        found = {
            name: divided(pairs.sum(axis=1), n)
            for name, pairs in (("agreement", self.same), ("kept", self.kept), ("opposite", self.opposite))
        }
        n_groups = self.shown.means.shape[1]
        if n_groups < 3:
            return {**found, "tau_b": np.full(len(n), np.nan), "spearman": np.full(len(n), np.nan)}
        signs = np.sign(np.nan_to_num(self.shown.differences))
        return {**found, "tau_b": tau_b(self.told, signs), "spearman": spearman(self.told, signs, n_groups)}


def tau_b(first: npt.NDArray[np.number], second: npt.NDArray[np.number]) -> FloatArray:
    """Return Kendall's tau-b of two orders, each by the signs of its pairs; NaN where one has ties alone."""
    one, other = first.astype(np.float64), second.astype(np.float64)
    return divided((one * other).sum(axis=1), np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1)))


def spearman(first: npt.NDArray[np.number], second: npt.NDArray[np.number], n_groups: int) -> FloatArray:
    """Return Spearman's rho of two orders, each by the signs of its pairs; NaN where one has ties alone."""
    above, below = pairs_of(n_groups)
    stands = np.zeros((len(above), n_groups))
    stands[np.arange(len(above)), above] = 1
    stands[np.arange(len(below)), below] = -1
    one, other = first @ stands, second @ stands  # each adds up to 0
    return divided((one * other).sum(axis=1), np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1)))


def most_tau_b(told: Signs) -> float:
    """Return the largest tau-b that an order without ties can have with the first draw's: 1 where that has none."""
    return float(np.sqrt((told[0] != 0).mean())) if told.shape[1] else 0.0


def kept_by_alike(
    told: Signs,
    people: DrawnLevels,
    shown: DrawnLevels,
    rng: Generator,
    *,
    proportion: float = 1.0,
    n_draws: int = N_PREDICTED,
) -> FloatArray:
    """Draw the proportion of told pairs that others would keep if their levels were people's; shape (draws,).

    What is drawn are levels around people's, by the errors of both sides: people's are not known exactly, and others
    have their own number of conversations and spread. A pair is kept if it is then shown in people's order.

    Args:
        told: Shape (1, pairs): as observed, at least one of them told apart.
        people: As observed.
        shown: Those who are asked, as observed.
        rng: Draws the levels.
        proportion: Of people's differences that others have.
        n_draws: How often.

    Source:
        Box (1980), Sampling and Bayes' inference in scientific modelling (the predictive distribution of a statistic).
        Pairs that are told apart look further apart than they are; how often a simulator that is people is found to
        keep too few is shown in tests/calibration.
    """
    values, vectors = np.linalg.eigh(proportion**2 * people.covariance[0] + shown.covariance[0])
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = proportion * people.means[0] + rng.standard_normal((n_draws, len(values))) @ root.T
    first, second = pairs_of(len(values))
    differences = (drawn[:, first] - drawn[:, second]) * told
    size = np.broadcast_to(shown.errors, differences.shape)
    p_values = t_p_values(differences, size, np.broadcast_to(shown.freedom, differences.shape))
    is_told = told[0] != 0
    return np.asarray((p_values[:, is_told] <= SHOWN).mean(axis=1), np.float64)
