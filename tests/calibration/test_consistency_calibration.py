"""Consistency: stand-in people are hardly ever called different, and two people in one are found."""

import numpy as np
import pytest
from scipy.stats import binom

from convsim.evaluation.adversaries import ADVERSARIES
from convsim.metrics import measure_both
from convsim_validators import Consistency
from tests.demo_data.crowd import crowd

pytestmark = pytest.mark.calibration
N_RUNS = 40


@pytest.fixture(scope="module")
def people():
    return crowd(1_000, seed=11)


def cards(people, n: int, kind: str | None = None, runs: int = N_RUNS):
    for seed in range(runs):
        rows = np.random.default_rng([seed, n]).permutation(len(people))[: 2 * n]
        real, other = [people[row] for row in rows[:n]], [people[row] for row in rows[n:]]
        simulated = ADVERSARIES[kind].simulate(other, seed=seed) if kind else other
        yield [*Consistency(n_resamples=199).validate(*measure_both(real, simulated), seed=seed)]


def test_people_are_called_different_in_at_most_one_card_of_twenty(people):
    false = sum(any(f.verdict == "different" for f in card) for card in cards(people, 100))
    assert false <= binom.ppf(0.99, N_RUNS, 0.05)


@pytest.mark.parametrize("kind", ["two_people_spliced", "coaches_the_agent", "always_says_yes"])
def test_who_is_not_one_person_is_found_at_200(people, kind):
    found = [any(f.verdict == "different" for f in card) for card in cards(people, 200, kind, runs=4)]
    assert sum(found) >= 3
