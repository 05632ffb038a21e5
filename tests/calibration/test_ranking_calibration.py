"""Rankings where the truth is known: people's own order is kept, labels drawn by lot never are, and errors are rare."""

import numpy as np
import pytest

from convsim.evaluation.ranking.against_people import judged_order
from convsim.evaluation.ranking.levels import named_pairs
from convsim.evaluation.ranking.numbers import Compared, Counted
from convsim.evaluation.ranking.verdict import Evidence, judge_known_order
from convsim.stats.group_levels import GroupLevels
from convsim.stats.kept_order import KeptOrder, told_apart
from convsim.stats.ordered_trend import OrderedTrend
from tests.systems import drawn_levels

pytestmark = pytest.mark.calibration

N_RUNS = 60
N_TRENDS = 200
FEW = 1.64 * np.sqrt(0.05 * 0.95 / N_RUNS) + 0.05
"""A rate of 5 % is above in one of twenty tests."""
LEVELS = (0.0, 0.1, 0.5, 0.6)


def counted(levels: GroupLevels) -> Counted:
    return Counted(levels, levels, np.zeros((len(levels.counts), 0)))


def verdicts(
    people: tuple[float, ...],
    simulated: tuple[float, ...],
    sizes: tuple[int, int],
    *,
    runs: int = N_RUNS,
    binary: bool = False,
) -> dict[str, float]:
    """Return how often each verdict comes out, of users who met two systems each."""
    found = []
    for run in range(runs):
        rng = np.random.default_rng([run, *sizes])
        sides = [
            counted(drawn_levels(levels, rng, n_users=n, met=2, binary=binary))
            for levels, n in zip((people, simulated), sizes, strict=True)
        ]
        compared = Compared(tuple(map(str, range(len(people)))), sides[0], sides[1], run)
        numbers = (int(side.levels.counts.sum()) for side in sides)
        found.append(judged_order(compared, n_people=next(numbers), n_simulated=next(numbers))[1].verdict)
    return {verdict: found.count(verdict) / runs for verdict in ("aligned", "different", "undecided")}


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("sizes", [(60, 240), (100, 100), (240, 60)])
def test_people_are_not_different_from_people(sizes, binary):
    assert verdicts(LEVELS, LEVELS, sizes, runs=40, binary=binary)["different"] <= 0.05


@pytest.mark.parametrize("sizes", [(60, 240), (240, 60)])
@pytest.mark.parametrize("people", [(0.0, 0.5), LEVELS])
def test_a_simulator_without_an_order_is_seldom_aligned(sizes, people):
    found = verdicts(people, (0.0,) * len(people), sizes)
    assert found["aligned"] <= FEW


def test_equal_systems_are_seldom_told_apart():
    for n_users, met in ((10, 4), (30, 2), (100, 1)):
        told = 0
        for run in range(500):
            levels = drawn_levels((0.0,) * 4, np.random.default_rng([run, n_users]), n_users=n_users, met=met)
            drawn = levels.drawn(np.ones((n_users, 1)))
            told += bool((told_apart(drawn, alpha=0.05) != 0).any())
        assert told / 500 <= 0.07, (n_users, met)


def test_what_is_there_is_found():
    apart = (0.0, 0.8, 1.6)
    same, turned = (verdicts(apart, each, (150, 150), runs=30) for each in (apart, apart[::-1]))
    flat = verdicts(apart, (0.8, 0.8, 0.8), (150, 300), runs=30)
    assert same["aligned"] >= 0.8
    assert turned["different"] >= 0.9
    assert flat["different"] >= 0.8


@pytest.mark.parametrize("met", [1, 2, 4])
def test_trends_are_found_where_they_are_and_rarely_where_not(met):
    rising = {0.0: 0, 0.25: 0}
    for slope in rising:
        for run in range(N_TRENDS):
            rng = np.random.default_rng([run, met])
            levels = drawn_levels([slope * step for step in range(4)], rng, n_users=60, met=met)
            rising[slope] += OrderedTrend.of(levels, rng, n_permutations=199).p_rising <= 0.05
    assert rising[0.0] / N_TRENDS <= 0.08
    assert rising[0.25] / N_TRENDS >= 0.5


@pytest.mark.parametrize("met", [1, 3])
def test_a_known_order_is_seldom_found_or_denied_where_there_is_none(met):
    found = []
    for run in range(N_TRENDS):
        rng = np.random.default_rng([run, met])
        levels = drawn_levels((0.0, 0.0, 0.0), rng, n_users=40, met=met)
        shown = levels.drawn(np.ones((40, 1)))
        trend = OrderedTrend.of(levels, rng, n_permutations=199)
        order = KeptOrder.of(np.ones((1, 3), np.int8), shown)
        evidence = Evidence(order, named_pairs(("a", "b", "c")), None, None, None, 1.0, 40)
        means = [float(mean) for mean in shown.means[0]]
        judged = judge_known_order(evidence, p_falling=trend.p_falling, p_rising=trend.p_rising, levels=means)
        found.append(judged.verdict)
    assert found.count("aligned") / N_TRENDS <= 0.08
    assert found.count("different") / N_TRENDS <= 0.08
