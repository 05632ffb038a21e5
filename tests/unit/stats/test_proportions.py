"""Proportions with intervals, against SciPy's and published ones."""

import pytest
from scipy.stats import binomtest

from convsim.stats.proportions import Proportion, difference, proportion


def of(hits, units) -> Proportion:
    return proportion(hits, units, unit="messages", undefined="nothing was said")


@pytest.mark.parametrize(("k", "n"), [(7, 20), (1, 50), (29, 30), (0, 12), (12, 12), (1, 2)])
def test_where_every_observation_is_its_own_unit_the_interval_is_wilsons(k, n):
    found = of([True] * k + [False] * (n - k), range(n))
    expected = binomtest(k, n).proportion_ci(method="wilson")
    assert found.estimate == k / n
    assert found.interval == pytest.approx((expected.low, expected.high))


def test_observations_of_one_unit_that_are_all_alike_count_as_one():
    # Ten users, four messages each, all of a user alike: about as much as ten messages say.
    hits = [user < 3 for user in range(10) for _ in range(4)]
    found = of(hits, [user for user in range(10) for _ in range(4)])
    # deff = (10/9 * 10 * 0.21 * 16 / 40**2) / (0.21 / 39): the variance of ten clusters by that of forty messages.
    effective = 40 / ((10 / 9 * 10 * 0.21 * 16 / 1600) / (0.21 / 39))
    z = 1.959963984540054
    centre = (0.3 + z**2 / (2 * effective)) / (1 + z**2 / effective)
    half = z / (1 + z**2 / effective) * (0.21 / effective + z**2 / (4 * effective**2)) ** 0.5
    assert found.interval == pytest.approx((centre - half, centre + half))
    assert (found.n, found.n_units, found.hits) == (40, 10, 12)
    assert effective == pytest.approx(9.23, abs=0.01)


def test_where_nothing_is_hit_the_units_are_counted_and_not_the_messages():
    found = of([False] * 40, [user for user in range(10) for _ in range(4)])
    expected = binomtest(0, 10).proportion_ci(method="wilson")
    assert found.interval == pytest.approx((expected.low, expected.high))


def test_no_observation_is_undefined_and_no_zero():
    found = of([], [])
    assert (found.estimate, found.interval, found.reason) == (None, None, "nothing was said")


def test_one_unit_has_a_proportion_and_no_interval():
    found = of([True, False], ["a", "a"])
    assert (found.estimate, found.interval) == (0.5, None)
    assert "1 independent unit" in found.reason


def test_a_difference_is_newcombes_published_example():
    # Newcombe (1998), table II, case (a): 56/70 - 48/80, method 10.
    found = difference(of([True] * 56 + [False] * 14, range(70)), of([True] * 48 + [False] * 32, range(80)))
    assert found.estimate == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_difference_with_what_is_undefined_is_undefined():
    assert difference(of([], []), of([True, False], "ab")).estimate is None
