"""Tuning where the truth is known: nothing is gained from what is alike, and mixtures are found."""

import numpy as np
import pytest

from convsim.stats.joint_gain import joint_gain
from convsim.stats.mixing import Mixing, Rows, joint_of, learned_weights

N_RUNS = 100
N_METRICS = 12
Z = 1.96


def population(
    rng: np.random.Generator, n: int, loadings: np.ndarray, shift: np.ndarray | float = 0.0
) -> np.ndarray:
    """Draw correlated metrics: some continuous, some counts, some that are often 0, some rare habits."""
    values: np.ndarray = rng.normal(size=(n, 3)) @ loadings.T + rng.normal(size=(n, N_METRICS)) + shift
    values[:, 3:6] = np.round(values[:, 3:6])
    values[:, 6:9] = np.maximum(values[:, 6:9], 0)
    values[:, 9:] = values[:, 9:] > 1
    return values


def halves(rng: np.random.Generator, people: np.ndarray, runs: list[np.ndarray]) -> tuple[Mixing, Mixing]:
    """Return what is learned from and what is judged on, as ``convsim tune`` halves them."""
    group_of = np.repeat(np.arange(len(runs)), [len(run) for run in runs])
    of_people = Rows(people, np.arange(len(people)), np.zeros(len(people), np.int64))
    of_runs = Rows(np.concatenate(runs), np.arange(len(group_of)), group_of)
    later = rng.permutation(len(people)) % 2 == 1, np.arange(len(group_of)) % 2 == 1
    names = tuple(map(str, range(N_METRICS)))
    learn, judge = (
        Mixing(names, of_people.take(later[0] == half), of_runs.take(later[1] == half), len(runs))
        for half in (False, True)
    )
    return learn, judge


def tuned(rng: np.random.Generator, people: np.ndarray, runs: list[np.ndarray], seed: int):
    """Return the weights learned, and what they gain from the nearest run on the halves held out."""
    learn, judge = halves(rng, people, runs)
    alone = np.eye(len(runs))
    weights = learned_weights(learn, np.full(len(runs), 1 / len(runs)), seed=seed).weights
    of_metrics = learn.metric_weights()
    nearest = alone[int(np.argmin([learn.joint(each, of_metrics).square for each in alone]))]
    before, after = judge.contrasts(nearest), judge.contrasts(weights)
    return weights, joint_gain(before, after, judge.metric_weights(), z=Z)


@pytest.mark.parametrize("n_runs", [2, 4])
def test_nothing_is_gained_where_all_runs_are_of_the_people_s_population(n_runs):
    rng = np.random.default_rng(100 + n_runs)
    loadings = rng.normal(0, 0.5, (N_METRICS, 3))
    gained = [
        tuned(
            rng, population(rng, 150, loadings), [population(rng, 150, loadings) for _ in range(n_runs)], seed
        )[1].is_shown
        for seed in range(N_RUNS)
    ]
    assert np.mean(gained) <= 0.05


@pytest.mark.parametrize(("share", "power"), [(0.7, 0.5), (0.5, 0.9)])
def test_a_mixture_of_two_populations_is_found_at_200_people(share, power):
    # Of 100 people learned from, the proportion of one population alone has a standard error of .046 to .05.
    rng = np.random.default_rng(7)
    loadings = rng.normal(0, 0.5, (N_METRICS, 3))
    shift = rng.choice([-1.0, 1.0], N_METRICS)
    found, shown = [], []
    for seed in range(N_RUNS):
        of_first = rng.random((200, 1)) < share
        people = np.where(of_first, population(rng, 200, loadings), population(rng, 200, loadings, shift))
        runs = [population(rng, 200, loadings), population(rng, 200, loadings, shift)]
        weights, gain = tuned(rng, people, runs, seed)
        found.append(weights[0])
        shown.append(gain.is_shown)
    assert np.mean(np.abs(np.asarray(found) - share) < 0.1) >= 0.85
    assert np.mean(found) == pytest.approx(share, abs=0.03)
    # The nearest run holds .7 of the people already: less is there to gain than from half of them.
    assert np.mean(shown) >= power - 0.05


def test_equal_distances_are_called_a_gain_in_one_of_forty_at_most_and_the_interval_covers():
    # Two mixtures that lie equally far from people, in opposite directions: the gain is 0 in truth.
    rng = np.random.default_rng(11)
    loadings = rng.normal(0, 0.5, (N_METRICS, 3))
    gains = []
    for _ in range(2 * N_RUNS):
        people = rng.normal(size=(75, 3)) @ loadings.T + rng.normal(size=(75, N_METRICS))
        runs = [
            rng.normal(size=(75, 3)) @ loadings.T + rng.normal(size=(75, N_METRICS)) + sign * 0.4
            for sign in (-1, 1)
        ]
        group_of = np.repeat([0, 1], 75)
        mixing = Mixing(
            tuple(map(str, range(N_METRICS))),
            Rows(people, np.arange(75), np.zeros(75, np.int64)),
            Rows(np.concatenate(runs), np.arange(150), group_of),
            2,
        )
        first, second = (mixing.contrasts(each) for each in np.eye(2))
        assert joint_of(first, mixing.metric_weights()).square > 0
        gains.append(joint_gain(first, second, mixing.metric_weights(), z=Z))
    assert np.mean([gain.is_shown for gain in gains]) <= 0.055
    assert np.mean([gain.interval[0] <= 0 <= gain.interval[1] for gain in gains]) >= 0.9
