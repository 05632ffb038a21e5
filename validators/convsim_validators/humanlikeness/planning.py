"""What people can decide of words before anything is simulated: the power of the classifier's test of equivalence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np

from convsim.schema import Corpus, Needs, PlannedFinding
from convsim.seeds import child_seed, generator
from convsim.stats.decision import equivalence_level
from convsim.stats.discriminator import cross_fit_repeatedly
from convsim.stats.equivalence import normal_quantile
from convsim.stats.planning import Curve
from convsim.stats.recognition import power_at_equality
from convsim.stats.sample_size import POWER
from convsim.stats.scores import REPEATS, score
from convsim.stats.sides import MIN_TO_ALIGN, MIN_UNITS, Sides
from convsim.stats.units import fold_keys, linked, too_large
from convsim.stats.view import logistic_regression
from convsim_validators.humanlikeness.features import words

METRIC = "hls"
WIDTH = 1.33
"""Standard errors of the interval of an AUC, as multiples of those of a fixed score: folds learn from one another
(``Scores.interval``), and two dealings of them are averaged. Measured between halves of people: tests/calibration."""
N_HALVES = 2
N_DRAWS = 199
HOW = "from how many they are; that no word tells the sides apart is taken for granted"
HOW_CLUSTERED = (
    "from the interval that the classifier has between halves of these people, whose conversations hang together by "
    "user; that no word tells the sides apart is taken for granted"
)


@dataclass(frozen=True)
class Words:
    """What people are worth to a classifier that reads words."""

    real: Corpus
    n_units: int
    """Users, or what else is independent, who said anything."""
    reason: str | None
    """Why nothing can be told, if so."""

    @classmethod
    def of(cls, real: Corpus) -> Words:
        """Count them, as folds would hold them."""
        said = real.take([row for row, text in enumerate(real.user_texts) if text.strip()])
        keys = fold_keys(said, said.take([]))
        group = linked(keys)
        n_units = len(np.unique(group))
        if n_units < MIN_UNITS:
            few = f"{n_units} users or conversations with words; a classifier needs {MIN_UNITS} on each side"
            return cls(said, n_units, few)
        return cls(said, n_units, too_large(keys, group, len(said)))

    def variance(self, seed: int) -> float:
        """Return what a conversation of these people adds to the variance of the AUC, times their number.

        The AUC of a fixed score of n and m independent conversations without difference has (1/n + 1/m) / 12 (Mann and
        Whitney 1947), and this one's is wider by the square of ``WIDTH``. Where people have several conversations, it
        is read off intervals between halves of them, and never less.
        """
        alone = WIDTH**2 / 12
        if self.n_units == len(self.real) or self.n_units < 2 * MIN_UNITS:
            return alone * len(self.real) / self.n_units
        seen = [self._between_halves(child_seed(seed, "plan", str(half))) for half in range(N_HALVES)]
        return max(alone, float(np.mean([each for each in seen if each is not None] or [alone])))

    def _between_halves(self, seed: int) -> float | None:
        units, unit_of = np.unique(self.real.units.astype(str), return_inverse=True)
        first = np.isin(unit_of, generator(seed, "half").permutation(len(units))[: len(units) // 2])
        sides = Sides.of(self.real.take(np.flatnonzero(first)), self.real.take(np.flatnonzero(~first)))
        texts = [*sides.real.user_texts, *sides.simulated.user_texts]
        view = words(texts, len(sides.real), sides.group)
        if not view.names or sides.not_divisible():
            return None
        repeats = cross_fit_repeatedly(
            sides.rows(view.features), logistic_regression, repeats=REPEATS, seed=seed
        )
        low, high = score(repeats, n_resamples=N_DRAWS, seed=seed).interval("auc", equivalence_level(0.05))
        error = (high - low) / (2 * normal_quantile(0.95))
        return float(error**2 / (1 / first.sum() + 1 / (~first).sum()))

    def plan(
        self, found: PlannedFinding, n_simulated: Sequence[int], *, margin: float, alpha: float, seed: int
    ) -> PlannedFinding:
        """Fill in with what probability the AUC is shown to lie within its margin.

        Its interval is as wide as the AUC varies where nothing differs (``Scores.interval``).
        """
        found = found.but(n_real=len(self.real), n_units_real=self.n_units)
        if self.reason is not None:
            lacking = max(0, MIN_UNITS - self.n_units)
            needs = Needs(side="people", more=lacking) if lacking else None
            return found.but(reason=self.reason, needs=needs)
        n, z, own = len(self.real), normal_quantile(1 - alpha), self.variance(seed)

        def error(n_real: int, n: int) -> float:
            return sqrt(own / n_real + WIDTH**2 / 12 / n)

        def power(n_real: int, n_simulated: int) -> float:
            if min(self.n_units * n_real / n, n_simulated) < MIN_TO_ALIGN:
                return 0.0
            return power_at_equality(margin - 1 / 2, error(n_real, n_simulated), alpha)

        def smallest_margin(n_simulated: int) -> float | None:
            beyond = z + NormalDist().inv_cdf(POWER + alpha / 2)
            at = 1 / 2 + beyond * error(n, n_simulated)
            return at if at < 1 else None

        curve = Curve.of(power, n, n_simulated, smallest_margin=smallest_margin)
        how = HOW if self.n_units == n else HOW_CLUSTERED
        return found.but(at=curve.at, needs=curve.needs, pays_up_to=curve.pays_up_to, reason=how)
