"""``humanlikeness`` under the null and under known differences."""

import numpy as np
import pytest
from scipy.stats import binom

from convsim_validators import HumanLikeness
from tests.corpora import corpus

VOCABULARY = np.array([f"w{i}" for i in range(600)])


def texts(rng: np.random.Generator, n: int, more: float = 0.0) -> list[str]:
    """Draw texts by Zipf's law; twenty frequent words are ``1 + more`` times as frequent."""
    weights = 1 / np.arange(1, 601)
    weights[5:25] *= 1 + more
    weights /= weights.sum()
    return [" ".join(rng.choice(VOCABULARY, size=rng.integers(8, 40), p=weights)) for _ in range(n)]


def judge(
    n_real: int, n_simulated: int, seed: int, *, more: float = 0.0, shift: float = 0.0, users_of: int = 1
):
    rng = np.random.default_rng([seed, n_real, n_simulated])
    sides = []
    for prefix, n in (("r", n_real), ("s", n_simulated)):
        simulated = prefix == "s"
        columns = {"a": rng.normal(shift * simulated, 1, n), "b": rng.poisson(3, n).astype(float)}
        users = [f"{prefix}{i // users_of}" for i in range(n)]
        sides.append(corpus(columns, texts=texts(rng, n, more * simulated), prefix=prefix, users=users))
    return HumanLikeness(n_resamples=199).validate(*sides, seed=seed)


@pytest.mark.parametrize(("n_real", "n_simulated", "users_of"), [(40, 200, 1), (200, 40, 1), (80, 80, 2)])
def test_under_the_null_every_score_is_one_half_at_any_ratio_of_sizes(n_real, n_simulated, users_of):
    runs = [judge(n_real, n_simulated, seed, users_of=users_of) for seed in range(30)]
    for view in range(3):
        for value in (
            [run[view].estimate for run in runs],
            [run[view].details["accuracy"] for run in runs],
            [run[view].details["auc"] for run in runs],
            [run[view].details["control_accuracy"] for run in runs],
            [run[view].details["accuracy_at_control_n"] for run in runs],
        ):
            assert abs(np.mean(value) - 0.5) <= 3.5 * np.std(value) / np.sqrt(len(value)) + 0.002
    # Three views a run are not independent; each is held to its own binomial interval.
    for view in range(3):
        assert sum(run[view].p_value <= 0.05 for run in runs) <= binom.ppf(0.999, 30, 0.05)
        covered = sum(
            run[view].details["auc_interval"][0] <= 0.5 <= run[view].details["auc_interval"][1]
            for run in runs
        )
        assert covered >= binom.ppf(0.001, 30, 0.95)


@pytest.mark.smoke
def test_under_the_null_one_comparison_is_far_from_certain():
    for finding in judge(40, 40, 0):
        assert 0.25 < finding.estimate < 0.75
        assert finding.verdict == "undecided"


def test_the_split_half_test_rejects_at_alpha():
    runs = [judge(40, 40, seed) for seed in range(100)]
    for view in range(3):
        rejected = sum(run[view].p_value <= 0.05 for run in runs)
        assert binom.ppf(0.001, 100, 0.05) <= rejected <= binom.ppf(0.999, 100, 0.05)


@pytest.mark.parametrize("n", [100, 250])
def test_other_words_are_found_by_words_and_not_by_habits(n):
    runs = [judge(n, n, seed, more=2.0) for seed in range(6)]
    assert all(run[0].verdict == "different" and run[1].verdict == "different" for run in runs)
    assert sum(run[2].verdict == "different" for run in runs) <= 1
    assert all(run[0].estimate < 0.4 for run in runs)


@pytest.mark.parametrize(("n", "power"), [(100, 0.5), (250, 0.95)])
def test_a_habit_moved_by_half_a_standard_deviation_is_found_without_words(n, power):
    runs = [judge(n, n, seed, shift=0.5) for seed in range(20)]
    assert np.mean([run[2].p_value <= 0.05 for run in runs]) >= power
    assert np.mean([run[0].verdict == "different" for run in runs]) <= 0.2


def test_the_tells_name_the_words_that_differ():
    listed = judge(150, 150, 1, more=2.0)[0].details["tells"]
    planted = set(VOCABULARY[5:25])
    assert all(set(entry["feature"].split()) & planted for entry in listed["simulated"][:5])
    assert all(entry["n_simulated"] > entry["n_real"] for entry in listed["simulated"][:5])
