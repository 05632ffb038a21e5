"""Disclosure: stand-in people are hardly ever called different, also few against many and several of each user."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from scipy.stats import binom

from convsim.evaluation.adversaries import ADVERSARIES
from convsim.metrics import DISCLOSURE_METRICS, measure
from convsim.schema import Corpus, Finding
from convsim.schema.conversation import Conversation
from convsim_validators import Disclosure
from tests.demo_data.crowd import crowd

pytestmark = pytest.mark.calibration
N_RUNS = 40
KINDS = [
    "says_all_at_once",
    "says_nothing_until_asked",
    "only_acknowledges",
    "knows_the_answer",
    "hedges_always",
]


@pytest.fixture(scope="module")
def people() -> list[Conversation]:
    return crowd(800, seed=11)


def measured(conversations: Sequence[Conversation]) -> Corpus:
    """Measure once what many halves are drawn of: a value depends on no other conversation."""
    return measure(conversations, metrics=[*DISCLOSURE_METRICS])


def halves(side: Corpus, n: tuple[int, int]) -> Iterator[list[Finding]]:
    """Deal users to two sides, so many to each, and compare them."""
    users = sorted(set(side.units))
    for seed in range(N_RUNS):
        order = np.random.default_rng([seed, *n]).permutation(users)
        parts = (order[: n[0]], order[n[0] : sum(n)])
        real, other = (side.take(np.flatnonzero(np.isin(side.units, part))) for part in parts)
        yield Disclosure(n_resamples=199).compare_metrics(real, other, seed=seed).findings


def n_different(cards: Iterator[list[Finding]]) -> int:
    return sum(any(f.verdict == "different" for f in card) for card in cards)


@pytest.mark.parametrize("n", [(100, 100), (60, 240)])
def test_people_are_called_different_in_at_most_one_card_of_twenty(people, n):
    assert n_different(halves(measured(people), n)) <= binom.ppf(0.99, N_RUNS, 0.05)


def test_nor_are_users_who_each_hold_several_alike_conversations(people):
    alike = sorted(people, key=lambda c: (c.task or "", c.arm or "", len(c.user_messages[0].content)))
    by_user = [c.but(user=f"user {number // 4}") for number, c in enumerate(alike)]
    assert n_different(halves(measured(by_user), (60, 100))) <= binom.ppf(0.99, N_RUNS, 0.05)


@pytest.mark.parametrize("n", [100, 200])
@pytest.mark.parametrize("kind", KINDS)
def test_who_says_it_at_the_wrong_time_is_found(people, kind, n):
    found = 0
    for seed in range(3):
        rows = np.random.default_rng([seed, n]).permutation(len(people))[: 2 * n]
        simulated = ADVERSARIES[kind].simulate([people[row] for row in rows[n:]], seed=seed)
        sides = [measured(side) for side in ([people[row] for row in rows[:n]], simulated)]
        found += any(
            f.verdict == "different" for f in Disclosure(n_resamples=199).validate(*sides, seed=seed)
        )
    assert found == 3
