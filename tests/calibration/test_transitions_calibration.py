"""``transitions`` on paths of a Markov chain: does its interval cover, and does the number that it tells decide?

A path is a conversation: it begins, goes from act to act, and ends. Paths of the simulator follow the people's chain
mixed with another one; the true distances are those of two hundred thousand paths.
"""

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from convsim_validators.labels.total_variation import Differences

N_ACTS, MAX_STEPS = 6, 20
N_RUNS, N_RESAMPLES = 100, 199
MIXED = {0.0: 0.0, 0.05: 0.11, 0.11: 0.25, 0.19: 0.43}
"""How much of the other chain gives about which distance."""


def chains():
    rng = np.random.default_rng(0)
    people = rng.dirichlet(
        np.ones(N_ACTS + 1), size=N_ACTS + 1
    )  # rows: start and acts; columns: acts and end
    people[0, N_ACTS] = 0
    people[1:, N_ACTS] = np.maximum(people[1:, N_ACTS], 0.15)
    other = np.column_stack([np.roll(people[:, :N_ACTS], 2, axis=1), people[:, N_ACTS]])
    return [each / each.sum(axis=1, keepdims=True) for each in (people, other)]


def paths(weight: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Count the steps of each path; shape (steps, paths)."""
    people, other = chains()
    reached = ((1 - weight) * people + weight * other).cumsum(axis=1)
    counts = np.zeros((n, N_ACTS + 1, N_ACTS + 1))
    here, going = np.zeros(n, int), np.arange(n)
    for step in range(MAX_STEPS):
        after = (rng.random(len(going))[:, None] > reached[here]).sum(axis=1).clip(max=N_ACTS)
        if step == MAX_STEPS - 1:
            after[:] = N_ACTS
        counts[going, here, after] += 1
        here, going = after[after < N_ACTS] + 1, going[after < N_ACTS]
    return counts.reshape(n, -1).T


@cache
def truth(weight: float) -> float:
    pooled = [paths(w, 200_000, np.random.default_rng(9)).sum(axis=1) for w in (0.0, weight)]
    return float(np.abs(pooled[0] / pooled[0].sum() - pooled[1] / pooled[1].sum()).sum() / 2)


def proportions(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts / counts.sum(axis=0), np.float64)


def runs(weight: float, n: int, n_runs: int = N_RUNS):
    for run in range(n_runs):
        rng = np.random.default_rng([run, n])
        sides = [paths(0.0, n, rng), paths(weight, n, rng)]
        drawn = [rng.multinomial(n, np.full(n, 1 / n), size=N_RESAMPLES).T for _ in sides]
        real, simulated = (
            (proportions(side.sum(axis=1)), proportions(side @ weights))
            for side, weights in zip(sides, drawn, strict=True)
        )
        yield Differences.of((real[0], simulated[0]), (real[1], simulated[1]), (n, n))


@pytest.mark.parametrize("n", [100, 250])
@pytest.mark.parametrize("distance", MIXED)
def test_the_interval_covers_the_distance_of_the_populations(distance, n):
    true = truth(MIXED[distance]) if distance else 0.0
    assert true == pytest.approx(distance, abs=0.015)
    limits = [each.confidence_limits(0.95) for each in runs(MIXED[distance], n)]
    covered = sum(low <= true <= high for low, high in limits)
    assert covered >= binom.ppf(0.01, N_RUNS, 0.95)
    if distance == 0.19:
        assert np.mean([low > 0 for low, _ in limits]) >= (0.9 if n == 250 else 0.3)


def test_a_distance_beyond_the_margin_is_hardly_ever_called_alike():
    assert truth(MIXED[0.11]) > 0.10
    aligned = sum(each.confidence_limits(0.90)[1] <= 0.10 for each in runs(MIXED[0.11], 500))
    assert aligned <= binom.ppf(0.99, N_RUNS, 0.05)


def test_equal_populations_are_shown_to_be_alike_in_four_of_five_cases_with_the_number_that_was_told():
    n = int(100 * np.median([each.growth_to_align(0.10) for each in runs(0.0, 100, 20)]))
    aligned = [each.confidence_limits(0.90)[1] <= 0.10 for each in runs(0.0, n)]
    assert np.mean(aligned) == pytest.approx(0.80, abs=0.08)
