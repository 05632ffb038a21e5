"""What people can decide of words before anything is simulated: the power of the classifier's test of equivalence."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np

from convsim.schema import Corpus, Needs, PlannedFinding
from convsim.stats.equivalence import normal_quantile
from convsim.stats.planning import Curve
from convsim.stats.sample_size import POWER
from convsim.stats.units import fold_keys, linked, too_large
from convsim_validators.humanlikeness.sides import MIN_UNITS

METRIC = "hls"
SPREAD = 1.45
"""By how much the AUC of out-of-fold scores varies more, if nothing differs, than that of a fixed score would: folds
learn from one another (``Scores.interval``). Measured on halves of people, as ``WIDTH``: tests/calibration."""
WIDTH = 1.33
"""By how much half of its interval is wider than a fixed score's, the mean of two dealings of folds allowed for."""
HOW = (
    "not from these people's words but from how many they are: of two groups of people, the AUC of this classifier "
    f"varies {SPREAD:g} times as far as that of a fixed score; within .1 of the power seen on halves of people"
)


def planned(
    real: Corpus, n_simulated: Sequence[int], *, margin: float, alpha: float, named: tuple[str, str, str]
) -> PlannedFinding:
    """With what probability is the AUC shown to lie within its margin, if no word tells the sides apart?

    The AUC of n and m independent scores without difference has the variance (1/n + 1/m) / 12 (Mann and Whitney 1947);
    of scores out of fold it is more by the square of ``SPREAD``, and the interval wider by ``WIDTH``.

    Args:
        real: The people.
        n_simulated: Simulated conversations, at least one number.
        margin: The AUC up to which the sides count as alike.
        alpha: The error rate of the equivalence test.
        named: Validator, question and source.
    """
    validator, question, source = named
    keys = fold_keys(real, real.take([]))
    group = linked(keys)
    sizes = np.bincount(group)
    said = np.asarray([bool(text.strip()) for text in real.user_texts])
    n_units = len(np.unique(group[said]))
    found = PlannedFinding(
        validator=validator,
        metric=METRIC,
        question=question,
        verdicts=("aligned",),
        margin=margin,
        margin_of="AUC",
        n_real=int(said.sum()),
        n_units_real=n_units,
        reason=HOW,
        source=source,
    )
    if n_units < MIN_UNITS:
        return found.but(
            reason=f"{n_units} users or conversations with words; a classifier needs {MIN_UNITS}",
            needs=Needs(side="people", more=MIN_UNITS - n_units),
        )
    if large := too_large(keys, group, len(real)):
        return found.but(reason=large)
    z = normal_quantile(1 - alpha)
    each = float(sizes.sum() ** 2 / (sizes**2).sum()) / len(real)

    def error(n_real: int, n: int) -> float:
        return sqrt((1 / (each * n_real) + 1 / n) / 12)

    def power(n_real: int, n: int) -> float:
        if min(n_units * n_real / len(real), n) < MIN_UNITS:
            return 0.0
        fixed = error(n_real, n)
        room = (margin - 1 / 2 - z * WIDTH * fixed) / (SPREAD * fixed)
        return max(0.0, 2 * NormalDist().cdf(room) - 1)

    def smallest_margin(n: int) -> float | None:
        beyond = z * WIDTH + NormalDist().inv_cdf((1 + POWER) / 2) * SPREAD
        at = 1 / 2 + beyond * error(len(real), n)
        return at if at < 1 else None

    curve = Curve.of(power, len(real), n_simulated, smallest_margin=smallest_margin)
    return found.but(at=curve.at, needs=curve.needs, pays_up_to=curve.pays_up_to)
