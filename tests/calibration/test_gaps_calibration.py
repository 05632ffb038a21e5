"""What to change first: nothing, nearly always, where a simulator is like people; what differs, where it is not."""

import numpy as np
import pytest
from scipy.stats import binom

from convsim.evaluation.gaps import find_gaps
from convsim_validators import Marginals
from tests.corpora import corpus

K, N_CARDS = 20, 120


def listed(shift, *, n=(100, 100)):
    """The names that each card lists; ``shift`` moves the first three of twenty correlated metrics."""
    loadings = np.random.default_rng(1).normal(size=(K, 3)) / 2
    cards = []
    for seed in range(N_CARDS):
        rng = np.random.default_rng([seed, *n])
        sides = []
        for prefix, size, by in (("r", n[0], 0.0), ("s", n[1], shift)):
            values = rng.normal(size=(size, 3)) @ loadings.T + 0.8 * rng.normal(size=(size, K))
            values[:, :3] += by
            values[:, 10:15] = np.round(2 * np.exp(values[:, 10:15] / 2))
            values[:, 15:] = values[:, 15:] > 1
            sides.append(corpus({f"m{k}": values[:, k] for k in range(K)}, prefix=prefix))
        found = Marginals(n_resamples=199).validate(*sides, seed=seed)
        cards.append({gap.name for gap in find_gaps(sides[0], sides[1], found)})
    return cards


@pytest.mark.parametrize("n", [(100, 100), (60, 300)])
def test_at_equality_the_list_is_empty_nearly_always(n):
    some = sum(bool(names) for names in listed(0.0, n=n))
    # 5 % by the corrected p of `marginals` and 1 % by location and spread.
    assert some <= binom.ppf(0.999, N_CARDS, 0.06)


def test_what_differs_by_a_standard_deviation_is_listed_and_hardly_anything_else():
    cards = listed(1.0)
    assert np.mean([len(names & {"m0", "m1", "m2"}) for names in cards]) >= 2.9
    assert np.mean([bool(names - {"m0", "m1", "m2"}) for names in cards]) <= 0.1
