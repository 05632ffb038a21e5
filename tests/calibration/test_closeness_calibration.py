"""``compare`` with many simulators: how often is one said to be ahead where none is, and is one that is found?"""

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom

from convsim.evaluation.closeness import Closeness, closeness
from convsim_validators import Marginals
from tests.compared import comparison, simulator
from tests.corpora import corpus

N_METRICS = 8
N_RUNS = 60
SIMULATORS = {"a": 60, "b": 120, "c": 120, "d": 60, "e": 200}


def habits(rng: np.random.Generator, n: int, shift: float, prefix: str):
    """Make metrics that go together (correlation .3), each ``shift`` standard deviations from people's."""
    values = np.sqrt(0.3) * rng.normal(size=(n, 1)) + np.sqrt(0.7) * rng.normal(size=(n, N_METRICS)) + shift
    return corpus({f"x{i}": values[:, i] for i in range(N_METRICS)}, prefix=prefix)


@cache
def placed(shift: float, last: float, n_runs: int) -> list[Closeness]:
    """Compare five simulators ``shift`` standard deviations from people, but for the last, and one with another."""
    runs = []
    for seed in range(n_runs):
        rng = np.random.default_rng([seed, 29])
        real = habits(rng, 200, 0.0, "r")
        sides = {name: habits(rng, n, last if name == "e" else shift, name) for name, n in SIMULATORS.items()}
        scores = Marginals(n_resamples=199).compare(real, sides, seed=seed)
        own = {score.simulator: score.estimate for score in scores if score.against is None}
        compared = comparison(
            *(simulator(name, mean_distance={"estimate": own[name], "reason": "-"}) for name in sides),
            standings=[score.model_dump() for score in scores],
        )
        runs.append(closeness(compared))
    return runs


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_among_equals_somebody_is_said_to_be_ahead_in_at_most_about_five_per_cent_of_comparisons(shift):
    """H0: all five are as far from people. A comparison errs where any of its ten pairs is told apart."""
    erred = sum(bool(run.apart) for run in placed(shift, shift, N_RUNS))
    assert erred <= binom.ppf(0.999, N_RUNS, 0.05)


@pytest.mark.smoke
def test_the_one_that_is_further_from_people_is_last_and_told_apart_from_each_of_the_others():
    runs = placed(0.2, 0.8, 10)
    assert sum(run.ordered[-1].name == "e" for run in runs) == 10
    assert sum({(name, "e") for name in "abcd"} <= run.apart for run in runs) >= 9
    others = [*combinations("abcd", 2)]
    assert sum(any(run.told_apart(*pair) for pair in others) for run in runs) <= binom.ppf(0.999, 10, 0.05)
