"""``pairs`` of ``coherence`` under the null, and where users do not listen."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from convsim.evaluation.adversaries.catalogue import find_adversaries
from convsim.io import read
from convsim.metrics import measure_both
from convsim.schema import Corpus
from convsim.seeds import generator
from convsim.stats.resampling import Design
from convsim_validators.coherence.pairs import Pairs
from tests.listeners import listeners, pasted

PEOPLE = Path(__file__).parents[2] / "data/demo/convapparel_standin.json"


def judged(real: Corpus, simulated: Corpus, seed: int) -> Pairs:
    deal = partial(Design.of(real, simulated).dealings, 199, generator(seed, "dealt"))
    return Pairs.of(real, simulated, deal, n_resamples=199, seed=seed)


def held(runs: list[Pairs]) -> bool:
    """Tell whether the test rejects at 5 %, and the interval of the AUC covers one half."""
    rejected = sum(run.p_value is not None and run.p_value <= 0.05 for run in runs)
    intervals = [run.scores.interval("auc") for run in runs if run.scores is not None]
    covered = sum(low <= 0.5 <= high for low, high in intervals)
    n = len(runs)
    return bool(
        len(intervals) == n and rejected <= binom.ppf(0.999, n, 0.05) and covered >= binom.ppf(0.001, n, 0.95)
    )


@pytest.mark.parametrize(
    ("n_real", "n_simulated", "each"),
    [(60, 60, (1, 1)), (40, 160, (1, 1)), (40, 60, (1, 4)), (60, 40, (3, 1))],
)
def test_people_who_listen_alike_are_not_told_apart(n_real, n_simulated, each):
    runs = []
    for seed in range(60):
        rng = np.random.default_rng([seed, n_real, n_simulated])
        real = listeners(rng, n_real, "r", each=each[0])
        runs.append(judged(real, listeners(rng, n_simulated, "s", each=each[1]), seed))
    assert held(runs)


@pytest.mark.smoke
def test_halves_of_people_listen_alike():
    people = list(read(PEOPLE))
    runs = []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(len(people))[:160]
        runs.append(
            judged(*measure_both(*([people[row] for row in rows] for rows in (order[:80], order[80:]))), seed)
        )
    assert held(runs)


def test_longer_conversations_are_no_other_way_of_listening():
    runs = []
    for seed in range(40):
        rng = np.random.default_rng([seed, 7])
        runs.append(judged(listeners(rng, 60, "r", n_pairs=3), listeners(rng, 60, "s", n_pairs=6), seed))
    assert sum(run.p_value is not None and run.p_value <= 0.05 for run in runs) <= binom.ppf(0.999, 40, 0.05)


def test_a_pasted_user_is_found_at_100_a_side():
    for seed in range(8):
        rng = np.random.default_rng([seed, 11])
        found = judged(listeners(rng, 100, "r"), pasted(rng, 100, "s"), seed)
        assert found.p_value == 1 / 200
        assert found.scores is not None
        assert found.scores.auc > 0.6


def test_users_pasted_among_stand_in_people_are_found_at_100_a_side():
    """Within a task, stand-in people take up too little for anything to be found at this size, by echo either."""
    name = "user_of_another_conversation"
    people = list(read(PEOPLE))
    [adversary] = [each for each in find_adversaries([name]) if each.name == name]
    p_values = []
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(len(people))[:200]
        real, others = ([people[row] for row in rows] for rows in (order[:100], order[100:]))
        p_values.append(
            judged(*measure_both(real, adversary.simulate(others, seed=seed)), seed).p_value or 1.0
        )
    assert sum(p <= 0.05 for p in p_values) >= 5
