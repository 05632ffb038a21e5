"""Do simulated conversations repeat one another more than people's do?"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.seeds import generator
from convsim.stats.multiplicity import max_t, permutation_p_value
from convsim.stats.neighbours import similarities, vectors
from convsim.stats.own_units import OwnUnits, one_of_each_unit
from convsim.stats.resampling import Design, permute

N_PICKS = 4
"""How often one conversation of each unit is picked, where some have several."""
N_NEIGHBOURS = 24
IDENTICAL = 1 - 1e-9


@dataclass(frozen=True)
class Diversity:
    """How near conversations lie to the nearest of another unit on their own side."""

    similarity: tuple[float, float]
    """Mean over the real and over the simulated units."""
    identical: tuple[float, float]
    """The proportions of real and of simulated units whose words another unit of their side said too."""
    difference: float
    """Of the similarities, simulated minus real, less ``expected``."""
    expected: float
    """What sizes and shared scenarios alone make: the nearest of many is nearer, and so are twins of one task."""
    variances: tuple[float, float]
    """What the real and the simulated side add to the variance of ``difference``; two that are near to each other count
    as one, so they are on the wide side."""
    p_value: float
    """One-sided, the smaller one of the two questions."""
    p_adjusted: float
    """Corrected for both questions by step-down max-T."""

    @property
    def standard_error(self) -> float:
        """Of ``difference``."""
        return sqrt(sum(self.variances))

    def standard_error_at(self, growth: tuple[float, float]) -> float:
        """Return the standard error if the real and the simulated side were larger by these factors."""
        return sqrt(sum(one / factor for one, factor in zip(self.variances, growth, strict=True)))


@dataclass(frozen=True)
class Neighbourhood:
    """A conversation of each unit of both sides with its nearest, the nearest first."""

    similarity: FloatArray
    """Shape (units, units): -1 of a unit with itself."""
    nearest: IntArray
    """Shape (units, neighbours)."""

    @classmethod
    def of(cls, texts: list[str]) -> Neighbourhood:
        """Compare all texts with each other; memory grows with their square."""
        weighed = vectors(texts)
        n = len(texts)
        n_near = min(N_NEIGHBOURS, n)
        similarity, near = np.empty((n, n)), np.empty((n, n_near), np.int64)
        for start, block in similarities(weighed, weighed):
            rows = slice(start, start + len(block))
            block[np.arange(len(block)), np.arange(start, start + len(block))] = -1
            top = np.argpartition(block, n - n_near, axis=1)[:, n - n_near :]
            order = np.argsort(-np.take_along_axis(block, top, axis=1), axis=1, kind="stable")
            similarity[rows], near[rows] = block, np.take_along_axis(top, order, axis=1)
        return cls(similarity, near)

    def on_own_side(self, is_real: BoolArray) -> FloatArray:
        """Return similarities to the nearest of the same side; both of shape (units,)."""
        same = is_real[self.nearest] == is_real[:, None]
        place = same.argmax(axis=1)
        rows = np.arange(len(is_real))
        found = self.similarity[rows, self.nearest[rows, place]].copy()
        missing = np.flatnonzero(~same[rows, place])
        if len(missing):
            others = np.where(is_real[missing][:, None] == is_real[None, :], self.similarity[missing], -1)
            found[missing] = others.max(axis=1)
        return np.asarray(found.clip(0, 1), np.float64)


def diversity(real: Corpus, simulated: Corpus, *, n_resamples: int, seed: int) -> Diversity:
    """Compare how near conversations lie to the nearest of another unit on their own side, and how many are identical.

    H0: units of a stratum (or of a scenario that both sides met) are exchangeable between the sides. One-sided: that a
    simulator repeats itself less than people do is no fault. Sides of unequal size are compared with the same sizes
    dealt anew. Of units with several conversations one is picked at random, four times over, and what is found is
    averaged: a side whose units have more has more neighbours, whoever says what.
    """
    unit_of, is_real, exchangeable = OwnUnits.of(real, simulated, Design.of(real, simulated))
    texts = [*real.user_texts, *simulated.user_texts]
    dealt = permute(exchangeable, is_real, n_resamples, generator(seed, "copies", "deal"))
    dealings = [is_real, *(dealt.T > 0.5)]
    picks = one_of_each_unit(texts, unit_of, generator(seed, "copies", "pick"), n_picks=N_PICKS)
    similar, identical = np.zeros((2, len(dealings)))
    found, same = np.zeros((2, len(is_real)))
    for rows in picks:
        everything = Neighbourhood.of([texts[row] for row in rows])
        for column, now_real in enumerate(dealings):
            own = everything.on_own_side(now_real)
            if column == 0:
                found, same = found + own / len(picks), same + (own >= IDENTICAL) / len(picks)
            similar[column] += _difference(own, now_real) / len(picks)
            identical[column] += _difference(own >= IDENTICAL, now_real) / len(picks)
    variances = [2 * float(part.var(ddof=1)) / len(part) for part in (found[is_real], found[~is_real])]
    return Diversity(
        similarity=(float(found[is_real].mean()), float(found[~is_real].mean())),
        identical=(float(same[is_real].mean()), float(same[~is_real].mean())),
        difference=float(similar[0] - similar[1:].mean()),
        expected=float(similar[1:].mean()),
        variances=(variances[0], variances[1]),
        p_value=min(permutation_p_value(float(column[0]), column[1:]) for column in (similar, identical)),
        p_adjusted=min(max_t({"similar": similar, "identical": identical}).values()),
    )


def _difference(values: FloatArray | BoolArray, of_real: BoolArray) -> float:
    return float(values[~of_real].mean() - values[of_real].mean())
