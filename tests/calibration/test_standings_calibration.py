"""``compare`` where simulators are equally good, and where one is worse: is it said about as often as promised?"""

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom, norm

from convsim_validators import HumanLikeness, Marginals
from tests.corpora import corpus

N_METRICS = 8
N_RUNS = 60
VOCABULARY = np.array([f"w{i}" for i in range(600)])
EQUALLY_FAR = [(40, 150, 0.0, 0.0), (40, 150, 0.5, 0.5), (40, 150, 0.5, -0.5)]


def habits(rng: np.random.Generator, n: int, shift: float, prefix: str):
    """Make metrics that go together (correlation .3), each ``shift`` standard deviations from people's."""
    values = np.sqrt(0.3) * rng.normal(size=(n, 1)) + np.sqrt(0.7) * rng.normal(size=(n, N_METRICS)) + shift
    return corpus({f"x{i}": values[:, i] for i in range(N_METRICS)}, prefix=prefix)


@cache
def placed(n_a: int, n_b: int, shift_a: float, shift_b: float, n_runs: int = N_RUNS):
    """Return the standings of a, of b, and of a against b, one row a run."""
    runs = []
    for seed in range(n_runs):
        rng = np.random.default_rng([seed, n_a, n_b])
        real = habits(rng, 250, 0.0, "r")
        simulated = {"a": habits(rng, n_a, shift_a, "a"), "b": habits(rng, n_b, shift_b, "b")}
        runs.append(Marginals(n_resamples=99).compare(real, simulated, seed=seed)[:3])
    return runs


def told_apart(runs) -> int:
    return sum(not run[2].interval[0] <= 0 <= run[2].interval[1] for run in runs)


@pytest.mark.parametrize(("n_a", "n_b", "shift_a", "shift_b"), EQUALLY_FAR)
def test_simulators_that_are_equally_far_are_told_apart_in_about_five_per_cent(n_a, n_b, shift_a, shift_b):
    runs = placed(n_a, n_b, shift_a, shift_b)
    assert told_apart(runs) <= binom.ppf(0.999, N_RUNS, 0.05)
    estimates = [run[2].estimate for run in runs]
    assert abs(np.mean(estimates)) <= 3.5 * np.std(estimates) / np.sqrt(N_RUNS)


def test_at_their_own_sizes_the_smaller_of_two_perfect_simulators_would_nearly_always_look_worse():
    own = [run[2].details["at_own_sizes"] for run in placed(*EQUALLY_FAR[0])]
    assert np.mean(np.array(own) > 0.02) > 0.9


@pytest.mark.parametrize(
    ("n_a", "n_b"), [pytest.param(150, 150, marks=pytest.mark.smoke), (40, 150), (150, 40)]
)
def test_a_clearly_worse_simulator_is_found_whichever_is_smaller(n_a, n_b):
    runs = placed(n_a, n_b, 0.8, 0.2, n_runs=10)
    assert sum(run[2].interval[0] > 0 for run in runs) >= 9


@pytest.mark.parametrize(("n_a", "n_b", "shift_a", "shift_b"), EQUALLY_FAR)
def test_the_interval_covers_the_populations_mean_distance(n_a, n_b, shift_a, shift_b):
    runs = placed(n_a, n_b, shift_a, shift_b)
    for which, shift in enumerate((shift_a, shift_b)):
        truth = 2 * norm.cdf(abs(shift) / 2) - 1
        covered = sum(run[which].interval[0] <= truth <= run[which].interval[1] for run in runs)
        assert covered >= binom.ppf(0.001, N_RUNS, 0.95)


def test_the_human_baseline_is_what_a_perfect_simulator_shows():
    a = [run[0] for run in placed(*EQUALLY_FAR[0])]
    estimates = [standing.estimate for standing in a]
    baselines = [standing.details["noise_floor"] for standing in a]
    assert np.mean(estimates) == pytest.approx(
        np.mean([baseline["mean"] for baseline in baselines]), abs=0.006
    )
    beyond = sum(e > baseline["q95"] for e, baseline in zip(estimates, baselines, strict=True))
    assert beyond <= binom.ppf(0.999, N_RUNS, 0.05)


def words(rng: np.random.Generator, n: int, more: float, prefix: str):
    """Draw texts by Zipf's law; twenty frequent words are ``1 + more`` times as frequent."""
    weights = 1 / np.arange(1, 601)
    weights[5:25] *= 1 + more
    weights /= weights.sum()
    texts = [" ".join(rng.choice(VOCABULARY, size=rng.integers(8, 40), p=weights)) for _ in range(n)]
    return corpus({"x": np.zeros(n)}, texts=texts, prefix=prefix)


@cache
def judged(more: float, n_runs: int = 14):
    """Return standings of a perfect simulator and of two that say some words more often, one dict a run."""
    runs = []
    for seed in range(n_runs):
        rng = np.random.default_rng([seed, 11])
        real = words(rng, 80, 0.0, "r")
        simulated = {
            "perfect": words(rng, 60, 0.0, "p"),
            "b": words(rng, 80, more, "b"),
            "c": words(rng, 50, more, "c"),
        }
        standings = HumanLikeness(n_resamples=99).compare(real, simulated, seed=seed)
        runs.append({(s.metric, s.simulator, s.against): s for s in standings})
    return runs


def is_zero_on_average(values):
    return abs(np.mean(values)) <= 3.5 * np.std(values) / np.sqrt(len(values))


def test_equals_of_a_simulator_are_caught_as_often_as_it_is_and_a_perfect_one_as_often_as_people():
    runs = judged(1.5)
    caught = [
        {key[1:]: standing.estimate for key, standing in run.items() if key[0] == "generalisation"}
        for run in runs
    ]
    assert np.mean([run["b", "b"] for run in caught]) > 0.65
    assert is_zero_on_average([run["c", "b"] - run["b", "b"] for run in caught])
    assert is_zero_on_average([run["b", "c"] - run["c", "c"] for run in caught])
    alarms = [run["generalisation", "perfect", "b"].details["false_alarms"] for run in runs]
    assert is_zero_on_average([run["perfect", "b"] - a for run, a in zip(caught, alarms, strict=True)])


def test_the_relative_score_of_a_perfect_simulator_is_one_and_of_others_less():
    runs = judged(1.5)
    covered = sum(
        run["relative_hls", "perfect", None].interval[0]
        <= 1
        <= run["relative_hls", "perfect", None].interval[1]
        for run in runs
    )
    assert covered >= binom.ppf(0.001, len(runs), 0.95)
    assert np.mean([run["relative_hls", "perfect", None].estimate for run in runs]) == pytest.approx(
        1, abs=0.02
    )
    assert all(run["relative_hls", "b", None].interval[1] < 1 for run in runs)
