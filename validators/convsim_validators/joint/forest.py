"""Can a random forest tell the sides apart by how habits go together? Shown only: a p-value needs many forests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema import Interval
from convsim.schema.arrays import BoolArray, FloatArray
from convsim.seeds import generator
from convsim.stats.discriminator import cross_fit
from convsim.stats.scores import score
from convsim.stats.sides import Sides
from convsim.stats.units import some_units

if TYPE_CHECKING:
    from convsim.stats.discriminator import Features

N_TREES = 25
"""Shown only, and in every card: a hundred would take longer than all other questions together, and say no more."""
MAX_ROWS = 500
"""Of a side; beyond, whole units at random."""
N_RESAMPLES = 199
LEAST = 0.02
"""Votes nearer than this to all or none count as this near, so that their log-odds are finite."""


@dataclass(frozen=True)
class Forest:
    """How well the forest does on conversations that it has not seen; ``auc`` is None where none could be trained."""

    reason: str
    auc: float | None = None
    interval: Interval | None = None

    @classmethod
    def of(cls, sides: Sides, scores: FloatArray, *, seed: int) -> Forest:
        """Train on ranks within sides, shape (rows, habits), in which single habits say nothing."""
        if undivided := sides.not_divisible():
            return cls(f"no forest was trained: {undivided}")
        n_real = len(sides.real)
        kept = [
            some_units(side, MAX_ROWS, generator(seed, "sample", name))
            for name, side in (("real", sides.real), ("simulated", sides.simulated))
        ]
        rows = sides.rows(scores).take(np.concatenate([kept[0], n_real + kept[1]]))
        fitted = cross_fit(rows, lambda: _Trees(seed), seed=seed, n_models=N_TREES)
        found = score([fitted], n_resamples=N_RESAMPLES, seed=seed)
        low, high = found.interval("auc")
        return cls(
            f"AUC {found.auc:.3f}, {low:.3f} to {high:.3f} (95 % interval) of a random forest on ranks within sides; "
            "shown only",
            found.auc,
            (low, high),
        )


class _Trees:
    """A random forest whose score is the log-odds of its votes."""

    def __init__(self, seed: int) -> None:
        from sklearn.ensemble import RandomForestClassifier

        self._forest = RandomForestClassifier(N_TREES, min_samples_leaf=5, random_state=seed % 2**32)

    def fit(self, features: Features, labels: BoolArray, sample_weight: FloatArray) -> object:
        """Fit the trees."""
        return self._forest.fit(features, labels, sample_weight=sample_weight)

    def decision_function(self, features: Features) -> FloatArray:
        """Return log-odds, higher for human."""
        votes = self._forest.predict_proba(features)[:, 1].clip(LEAST, 1 - LEAST)
        return np.asarray(np.log(votes / (1 - votes)))
