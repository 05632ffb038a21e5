"""How far something that is known early tells what should not be known yet, on each side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.seeds import child_seed
from convsim.stats.discriminator import Rows, cross_fit
from convsim.stats.multiplicity import studentised
from convsim.stats.resampling import Weights
from convsim.stats.scores import score
from convsim.stats.view import logistic_regression

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from convsim.stats.discriminator import Features

N_RESAMPLES = 199
"""Of the intervals of an AUC."""
TINY = 1e-12
MIN_ROWS = 8
"""A feature that fewer have is not looked at alone."""
MAX_SINGLE = 1_000
"""Features that are; bounds memory."""


@dataclass(frozen=True)
class Predictability:
    """Features of both sides' conversations, real ones first, and the classes that they may tell.

    H0: features and classes of the two sides are exchangeable by unit: the simulator's features tell its classes as far
    as people's tell theirs. One statistic is the squared norm of the covariance of features and classes within the
    simulated side, over what its units alone make it, in logarithms and less that of the people: a Hilbert-Schmidt
    independence criterion with a linear kernel, of each side, which sees many words that tell a little. The other is
    the largest difference of the sides, over single features and classes, in how many standard errors their covariance
    lies from 0, which sees one word. Each is put on the scale of its dealings, and the larger counts.

    Source:
        Gretton et al. (2005), Measuring statistical dependence with Hilbert-Schmidt norms; Chung and Romano (2013) for
        the division by what varies from dealing to dealing.
    """

    features: Features
    """Shape (rows, columns)."""
    names: Sequence[str]
    """Of the columns."""
    classes: npt.NDArray[np.object_]
    """Shape (rows,)."""
    is_real: BoolArray
    """Shape (rows,)."""
    unit_of: IntArray
    """Shape (rows,): as the dealings number units."""
    rows: IntArray
    """Shape (rows,): which conversations these are, of both sides, the real ones first."""

    @cached_property
    def kinds(self) -> list[str]:
        """The classes there are, in order."""
        return sorted(set(self.classes.tolist()))

    @cached_property
    def n(self) -> tuple[int, int]:
        """Units of the people and of the simulator."""
        return len(np.unique(self.unit_of[self.is_real])), len(np.unique(self.unit_of[~self.is_real]))

    def n_units(self, *, real: bool) -> dict[str, int]:
        """Count by class the units of a side that have it."""
        side = self.is_real == real
        return {kind: len(np.unique(self.unit_of[side & (self.classes == kind)])) for kind in self.kinds}

    def has(self, column: int) -> BoolArray:
        """Tell which rows have a word, or lie above the middle in a control; shape (rows,)."""
        values = self.features[:, [column]]
        return np.asarray((values if isinstance(values, np.ndarray) else values.toarray()).ravel() > 0, bool)

    @cached_property
    def _gram(self) -> FloatArray:
        """Shape (rows, rows): products of rows' features."""
        products = self.features @ self.features.T
        return np.asarray(products if isinstance(products, np.ndarray) else products.toarray(), np.float64)

    def statistic(self, dealt: Weights) -> FloatArray:
        """Return how much more the simulator's features tell than people's under each dealing.

        Args:
            dealt: Shape (units, 1 + permutations): 1 where a unit counts as real.
        """
        return np.asarray(studentised(np.stack([self.all_together(dealt), self.largest(dealt)])).max(axis=0))

    def all_together(self, dealt: Weights) -> FloatArray:
        """Return the difference of the sides' logarithms of squared covariances; shape (1 + permutations,)."""
        gram, classes = self._gram, self._one_hot
        of_classes = classes @ classes.T
        own = self._own()
        told = []
        for members in _both(dealt):
            rows = members[self.unit_of]
            n = np.maximum(rows.sum(axis=0), 1)
            by_features, by_classes = gram @ rows, of_classes @ rows
            # The squared norm of the sum over the side of x y', x and y less their means there.
            whole = (rows * ((gram * of_classes) @ rows)).sum(axis=0)
            whole -= 2 * (rows * by_features * by_classes).sum(axis=0) / n
            whole += (rows * by_features).sum(axis=0) * (rows * by_classes).sum(axis=0) / n**2
            told.append(np.log(np.maximum(whole, TINY) / np.maximum(own @ members[: len(own)], TINY)))
        return np.asarray(told[1] - told[0])

    def largest(self, dealt: Weights) -> FloatArray:
        """Return how many standard errors more a feature tells of the simulator; shape (1 + permutations,)."""
        of_unit, values = self._members(len(dealt)), self._single
        largest = np.zeros(dealt.shape[1])
        kinds = 1 if len(self.kinds) == 2 else len(self.kinds)
        of_features = np.asarray(of_unit @ values, np.float64)
        sizes = np.asarray(of_unit.sum(axis=1), np.float64).ravel()
        centred = self._within(values)
        for kind in range(kinds if values.shape[1] else 0):
            has = self._one_hot[:, [kind]]
            together = np.asarray(of_unit @ (values * has), np.float64)
            of_class = np.asarray(of_unit @ has, np.float64)
            own = np.asarray(of_unit @ (centred * self._within(has)), np.float64) ** 2
            apart = []
            for members in _both(dealt):
                means = (of_class.T @ members) / np.maximum(sizes @ members, 1)
                covariance = together.T @ members - (of_features.T @ members) * means
                apart.append(np.abs(covariance) / np.maximum(np.sqrt(own.T @ members), TINY))
            largest = np.maximum(largest, (apart[1] - apart[0]).max(axis=0))
        return largest

    @cached_property
    def _one_hot(self) -> FloatArray:
        """Shape (rows, classes)."""
        return np.asarray(self.classes[:, None] == np.asarray(self.kinds, object)[None, :], np.float64)

    @cached_property
    def _single(self) -> FloatArray:
        """Shape (rows, columns): of the most common features, whether a row has them; controls as they are."""
        counts = np.asarray((self.features != 0).sum(axis=0), np.float64).ravel()  # type: ignore[union-attr]
        common = np.flatnonzero(counts >= MIN_ROWS)
        columns = self.features[:, common[np.argsort(-counts[common], kind="stable")[:MAX_SINGLE]]]
        return np.asarray(columns if isinstance(columns, np.ndarray) else columns.toarray() > 0, np.float64)

    def _within(self, values: FloatArray) -> FloatArray:
        """Return values, shape (rows, columns), less the means of their side."""
        centred = values.copy()
        for side in (self.is_real, ~self.is_real):
            centred[side] -= centred[side].mean(axis=0)
        return centred

    def _own(self) -> FloatArray:
        """Shape (units,): the squared norm of what each unit alone adds to the covariance of its side."""
        gram = self._gram.copy()
        sides = (self.is_real, ~self.is_real)
        # Taking each side's mean away from its rows is to take it away from rows and from columns.
        for side in sides:
            gram[side] -= gram[side].mean(axis=0)
        for side in sides:
            gram[:, side] -= gram[:, side].mean(axis=1, keepdims=True)
        within = self._within(self._one_hot)
        products = gram * (within @ within.T)
        of_unit = self._members(int(self.unit_of.max()) + 1)
        return np.asarray(of_unit.multiply(of_unit @ products).sum(axis=1), np.float64).ravel()

    def _members(self, n_units: int) -> csr_matrix:
        from scipy.sparse import csr_matrix

        n = len(self.unit_of)
        return csr_matrix((np.ones(n), (self.unit_of, np.arange(n))), shape=(n_units, n))

    def auc(self, *, real: bool, seed: int) -> tuple[float, tuple[float, float]]:
        """Return how well a classifier tells the classes of a side, and the 90 % limits; .5 is not at all.

        Of more than two classes each is told from the others, and the mean is returned.
        """
        side = np.flatnonzero(self.is_real == real)
        kinds = self.kinds[:1] if len(self.kinds) == 2 else self.kinds
        found = []
        for kind in kinds:
            has = self.classes[side] == kind
            rows = Rows(self.features[side], has, self.unit_of[side], has.astype(np.int64))
            own = child_seed(seed, "told", kind, int(real))
            fitted = cross_fit(rows, logistic_regression, seed=own)
            scores = score([fitted], n_resamples=N_RESAMPLES, seed=own)
            found.append((scores.auc, *scores.interval("auc", 0.90)))
        mean, low, high = (float(column) for column in np.mean(found, axis=0))
        return mean, (low, high)

    def most_telling(self) -> tuple[int, str]:
        """Return the column that tells most about a class of the simulated side, and that class."""
        rows = np.flatnonzero(~self.is_real)
        features, indicators = self.features[rows], self._within(self._one_hot)[rows]
        square = features**2 if isinstance(features, np.ndarray) else features.multiply(features)
        mean, mean_square = (np.asarray(each.mean(axis=0), np.float64).ravel() for each in (features, square))
        spread = np.sqrt(np.maximum(mean_square - mean**2, TINY))
        covariance = np.asarray(features.T @ indicators, np.float64) / len(rows)
        correlation = covariance / spread[:, None] / np.sqrt(np.maximum((indicators**2).mean(axis=0), TINY))
        column, kind = np.unravel_index(int(correlation.argmax()), correlation.shape)
        return int(column), self.kinds[int(kind)]


def _both(dealt: Weights) -> tuple[FloatArray, FloatArray]:
    """Return which units are of the people and which of the simulator; shape (units, dealings) each."""
    real = dealt.astype(np.float64)
    return real, 1 - real
