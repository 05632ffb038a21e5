"""How often an annotator is right, and what it counts, under resampling of whole units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.stats.ecdf import FloatArray
from convsim.stats.resampling import MIN_UNITS_A_STRATUM, IntArray, Side, Weights, draw
from convsim_validators.labels.marks import sums_by

if TYPE_CHECKING:
    from numpy.random import Generator

PRIOR = 0.5
"""Weight, in units, of an imagined hit and of an imagined miss in each class (Jeffreys)."""


@dataclass(frozen=True)
class Tallies:
    """Sums over the conversations of each unit; a conversation weighs 1."""

    n: FloatArray
    """Shape (units,): conversations with a label by the annotator."""
    yes: FloatArray
    """Shape (units, questions): the shares of their items that the annotator calls yes, summed."""
    crossed: FloatArray
    """Shape (units, questions, 4): ``marks.confusion``, summed; all 0 for units without a reference."""

    @classmethod
    def of(cls, shares: tuple[FloatArray, FloatArray], crossed: FloatArray, side: Side) -> Tallies:
        """Sum conversations by unit; all of shape (conversations, …)."""
        return cls(*(sums_by(side.unit_of, values, side.n_units) for values in (*shares, crossed)))

    @property
    def calibrated(self) -> IntArray:
        """Shape (units,): 1 where a reference is known for any item, else 0."""
        known: IntArray = (self.crossed.sum(axis=(1, 2)) > 0).astype(np.int64)
        return known

    @property
    def n_units(self) -> int:
        """Units with a label by the annotator."""
        return int((self.n > 0).sum())

    @property
    def counted(self) -> FloatArray:
        """Shape (questions,): the share that the annotator counts, the mean of conversations'."""
        shares: FloatArray = self.yes.sum(axis=0) / max(float(self.n.sum()), 1.0)
        return shares

    def recounted(self, weights: Weights) -> FloatArray:
        """Return ``counted`` for units dealt by ``weights``; shape (replicates, questions)."""
        n, yes = self._weighed(weights)
        shares: FloatArray = yes / np.maximum(n, 1e-6)
        return shares

    def redrawn(self, weights: Weights, rng: Generator) -> FloatArray:
        """Return ``counted`` for units drawn by ``weights``, with imagined observations as in ``redrawn_rates``."""
        n, yes = self._weighed(weights)
        imagined = rng.gamma(PRIOR, size=(2, *yes.shape)) * (float(self.n.sum()) / max(self.n_units, 1))
        shares: FloatArray = (yes + imagined[0]) / (n + imagined.sum(axis=0))
        return shares

    def _weighed(self, weights: Weights) -> tuple[FloatArray, FloatArray]:
        n, yes = (weights.T @ values.astype(np.float32) for values in (self.n, self.yes))
        return n.astype(np.float64)[:, None], yes.astype(np.float64)

    def rates(self) -> tuple[FloatArray, FloatArray]:
        """Return sensitivity and specificity, shape (questions,); NaN where the reference has no such item."""
        hits, members = self.crossed.sum(axis=0)[:, 0::2], self.crossed.sum(axis=0)[:, 1::2]
        found = np.full(hits.shape, np.nan)
        np.divide(hits, members, out=found, where=members > 0)
        return found[:, 0], found[:, 1]

    def smoothed_rates(self) -> tuple[FloatArray, FloatArray]:
        """Return ``rates`` with an imagined hit and an imagined miss in each class."""
        total = self.crossed.sum(axis=0)
        prior = PRIOR * self.typical_mass
        found = (total[:, 0::2] + prior) / (total[:, 1::2] + 2 * prior)
        return found[:, 0], found[:, 1]

    def redrawn_rates(self, weights: Weights, rng: Generator) -> tuple[FloatArray, FloatArray]:
        """Return sensitivity and specificity for units drawn by ``weights``; shape (replicates, questions).

        Each replicate gets an imagined hit and an imagined miss in each class with random weights, so that an
        annotator that never erred on a few items is not taken for one that cannot. The imagined ones weigh what one
        unit that has the class does.
        """
        known = self.calibrated > 0
        flat = self.crossed[known].reshape(int(known.sum()), -1).astype(np.float32)
        drawn = (weights[known].T @ flat).astype(np.float64).reshape(weights.shape[1], -1, 4)
        hits, members = drawn[:, :, 0::2], drawn[:, :, 1::2]
        imagined = rng.gamma(PRIOR, size=(2, *hits.shape)) * self.typical_mass
        found = (hits + imagined[0]) / np.maximum(members + imagined.sum(axis=0), 1e-12)
        return found[:, :, 0], found[:, :, 1]

    @property
    def typical_mass(self) -> FloatArray:
        """Shape (questions, 2): what a unit holds of the positives and of the negatives, of units that hold any."""
        members = self.crossed[:, :, 1::2]
        mass: FloatArray = members.sum(axis=0) / np.maximum((members > 0).sum(axis=0), 1)
        return np.where(mass > 0, mass, 1.0)


def draw_calibrated(side: Side, calibrated: IntArray, n_replicates: int, rng: Generator) -> Weights:
    """Draw units with replacement, those with a reference and those without apart, each within their strata.

    Cells of too few units are merged into one with a reference and one without.
    """
    cell = side.stratum_of * 2 + calibrated
    too_few = np.bincount(cell)[cell] < MIN_UNITS_A_STRATUM
    cell = np.where(too_few, calibrated - 2, cell)
    strata = np.unique(cell, return_inverse=True)[1].astype(np.int64)
    return draw(strata, np.bincount(strata), n_replicates, rng)
