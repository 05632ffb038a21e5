"""Endings: false differences under limits, failures and users of several conversations; power; error at the margin."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from convsim.schema.conversation import Conversation
from convsim_validators import Endings
from tests.drawn_stays import drawn, side, stay

pytestmark = pytest.mark.calibration
N_RUNS = 40
N_AT_MARGIN, N_EQUAL = 60, 15
NULLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sides of one size": ({"n": 100}, {"n": 100}),
    "60 people": ({"n": 60}, {"n": 240}),
    "a limit of the simulator's": ({"n": 100}, {"n": 100, "limit": 6}),
    "a limit that no record tells": (
        {"n": 100, "recorded": False},
        {"n": 100, "limit": 5, "recorded": False},
    ),
    "failures on one side": ({"n": 120}, {"n": 60, "failing": 0.05}),
    "several conversations of a persona": (
        {"n": 60, "frailty": 0.7},
        {"n": 60, "frailty": 0.7, "each": (4,)},
    ),
}


def verdicts(
    people: list[Conversation], simulated: list[Conversation], seed: int, *, n_resamples: int = 199
) -> dict[str, str]:
    found = Endings(n_resamples=n_resamples).validate(side(people), side(simulated), seed=seed)
    return {f.metric: f.verdict for f in found}


@pytest.mark.parametrize("case", NULLS)
def test_users_with_the_same_hazards_are_called_different_in_at_most_one_card_of_twenty(case):
    false = 0
    for seed in range(N_RUNS):
        rng = np.random.default_rng([seed, 3])
        real, simulated = (drawn(rng, prefix, **NULLS[case][k]) for k, prefix in enumerate("rs"))
        false += "different" in verdicts(real, simulated, seed).values()
    assert false <= binom.ppf(0.99, N_RUNS, 0.05)


@pytest.mark.parametrize(("accepting", "leaving"), [(0.12, 0.03), (0.20, 0.08), (0.06, 0.14)])
def test_other_hazards_are_found_at_200_a_side(accepting, leaving):
    n_runs, caught = 12, 0
    for seed in range(n_runs):
        rng = np.random.default_rng([seed, 4])
        real = drawn(rng, "r", 200)
        simulated = drawn(rng, "s", 200, accepting=accepting, leaving=leaving, limit=12)
        caught += "different" in verdicts(real, simulated, seed).values()
    assert caught >= 0.8 * n_runs


def turns_of(rng, prefix: str, n: int, first: float) -> list[Conversation]:
    """A proportion ends after the first turn, the others after the second; half of either with an item."""
    return [
        stay(f"{prefix}{k}", 1 if rng.random() < first else 2, "accepted" if rng.random() < 0.5 else "left")
        for k in range(n)
    ]


def test_at_the_margin_sides_are_called_alike_in_at_most_one_case_of_twenty_and_at_equality_mostly():
    """.5 or .65 end after the first turn: the first two questions differ by the margin."""
    alike = {}
    for first, n_runs in ((0.65, N_AT_MARGIN), (0.5, N_EQUAL)):
        found = []
        for seed in range(n_runs):
            rng = np.random.default_rng([seed, 5])
            sides = turns_of(rng, "r", 300, 0.5), turns_of(rng, "s", 300, first)
            found.append(verdicts(*sides, seed, n_resamples=49))
        alike[first] = [sum(f[name] == "aligned" for f in found) for name in ("survival", "hazard")]
    assert max(alike[0.65]) <= binom.ppf(0.99, N_AT_MARGIN, 0.05)
    assert min(alike[0.5]) >= 0.6 * N_EQUAL


def mixed(rng, prefix: str, n: int, accepting: float) -> list[Conversation]:
    """A proportion accepts in one of three turns, the others leave."""
    return [
        stay(f"{prefix}{k}", int(rng.integers(1, 4)), "accepted" if rng.random() < accepting else "left")
        for k in range(n)
    ]


def test_a_mix_at_the_margin_is_called_alike_in_at_most_one_case_of_twenty_and_at_equality_mostly():
    alike = {}
    for share, n_runs in ((0.65, N_AT_MARGIN), (0.5, N_EQUAL)):
        found = []
        for seed in range(n_runs):
            rng = np.random.default_rng([seed, 6])
            sides = mixed(rng, "r", 300, 0.5), mixed(rng, "s", 300, share)
            found.append(verdicts(*sides, seed, n_resamples=49))
        alike[share] = [sum(f[name] == "aligned" for f in found) for name in ("mix_of_endings", "accepting")]
    assert max(alike[0.65]) <= binom.ppf(0.99, N_AT_MARGIN, 0.05)
    assert alike[0.5][0] >= 0.6 * N_EQUAL
