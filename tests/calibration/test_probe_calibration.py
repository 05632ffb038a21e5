"""A probe takes nobody for better than the base rate, or for different, who is not (5 %); and finds who is."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom

from convsim.evaluation.probing.choosing import ask_about_acts
from convsim.evaluation.probing.deciding import DECISION, ENDING, ask_about
from tests.deciders import Met, answered, coin, knowing, never, people, true_hazard

pytestmark = pytest.mark.calibration

RUNS = 100
MOST = int(binom.ppf(0.999, RUNS, 0.05))
"""False verdicts in a thousandth of sets of runs at 5 %."""


def verdicts(ends, n, runs, *, kinds=ENDING, draws=5, a_user=(1, 1), spread=0.0):
    found: Counter[str] = Counter()
    for run in range(runs):
        rng = np.random.default_rng([run, n, 3])
        met = people(n, rng, a_user=a_user, spread=spread)
        places = [each.place for each in met]
        answers = answered(met, ends, rng, draws=draws)
        found[ask_about(kinds, places, places, answers, margin=0.1, rng=rng).verdict] += 1
    return found


def at_the_margin(met: Met) -> float:
    """End at each turn by a tenth too often, which is the margin."""
    return true_hazard(met) + 0.1


@pytest.mark.parametrize(
    ("n", "a_user", "draws"), [(40, (1, 1), 5), (25, (1, 6), 5), (40, (1, 1), None)], ids=str
)
def test_whoever_copies_the_hazard_is_neither_better_nor_different(n, a_user, draws):
    found = verdicts(true_hazard, n, RUNS, a_user=a_user, draws=draws)
    assert found["aligned"] <= MOST
    assert found["different"] <= MOST


def test_whoever_is_off_by_the_margin_is_not_called_calibrated():
    found = verdicts(at_the_margin, 100, 40, draws=None)
    assert found["aligned"] <= int(binom.ppf(0.999, 40, 0.05))


@pytest.mark.parametrize("kinds", [ENDING, DECISION], ids=lambda kinds: kinds.name)
def test_who_knows_each_persons_patience_is_alike_with_a_hundred_and_fifty(kinds):
    assert verdicts(knowing, 150, 20, kinds=kinds, spread=1.5)["aligned"] >= 16


@pytest.mark.parametrize("ends", [never, coin], ids=lambda ends: ends.__name__)
def test_who_always_goes_on_and_who_throws_a_coin_are_different_with_forty(ends):
    assert verdicts(ends, 40, 20)["different"] >= 18


def acts(n, rng, *, follows):
    """Places at which people do one of three things by turn; the shopper does as they do with ``follows``."""
    met = people(n, rng)
    places = [each.place for each in met]
    names = ("ask", "thank", "refine")
    found = {}
    for place in places:
        weights = np.roll([0.6, 0.3, 0.1], place.turn)
        person, other = rng.choice(names, 2, p=weights)
        found[f"person {place.key}"] = frozenset([str(person)])
        found[f"0 {place.key}"] = frozenset([str(person if rng.random() < follows else other)])
    answers = {place.key: answered(met[:1], never, rng, draws=1)[places[0].key] for place in places}
    return ask_about_acts(places, answers, found, source="rules:1", rng=rng).verdict


def test_acts_that_follow_the_turn_alone_are_neither_better_nor_worse_than_another_persons():
    found = Counter(acts(40, np.random.default_rng([run, 5]), follows=0.0) for run in range(RUNS))
    assert found["aligned"] <= MOST
    assert found["different"] <= MOST
    assert all(acts(60, np.random.default_rng([run, 6]), follows=0.4) == "aligned" for run in range(10))
