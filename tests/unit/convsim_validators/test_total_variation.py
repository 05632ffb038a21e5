import numpy as np
import pytest

from convsim_validators.labels.total_variation import Differences, power_to_align, total_variation


def differences(observed, process):
    return Differences(np.asarray(observed, float), np.asarray(process, float), (10**9, 10**9))


def test_total_variation_is_half_of_what_lies_elsewhere():
    # .5 and .3 against .2 and .6, with .2 alike: .3 has moved.
    assert total_variation(np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.6, 0.2])) == pytest.approx(0.3)


def test_the_limits_by_hand():
    # Two deviations, once up and once down. The first difference is 10 errors from 0, the second none: their derivative
    # is half of +-.01 plus half of .04. 1 % lies beyond neither end of two equal values.
    found = differences([0.1, 0.0], [[0.01, -0.01], [0.04, -0.04]])
    low, high = found.confidence_limits(0.999999)
    assert found.estimate == pytest.approx(0.05)
    assert low == pytest.approx(0.05 - (0.01 + 0.04) / 2, abs=1e-6)
    assert high == pytest.approx(0.05 + 0.01 / 2, abs=1e-6)


def test_samples_without_any_deviation_are_sure():
    found = differences([0.2, -0.2], np.zeros((2, 9)))
    assert found.confidence_limits(0.95) == (pytest.approx(0.2), pytest.approx(0.2))
    assert found.growth_to_align(0.1) == pytest.approx(0, abs=1e-6)


def test_eight_conversations_that_all_go_one_way_do_not_show_that_two_populations_are_alike():
    # Wilson's 90 % limit for what 8 did not show is 2.706 / 10.706, and there are two sides.
    found = Differences(np.zeros(3), np.zeros((3, 9)), (8, 8))
    low, high = found.confidence_limits(0.9)
    assert low == 0
    assert high == pytest.approx(2**0.5 * 2.706 / 10.706, abs=1e-3)
    n = 8 * found.growth_to_align(0.1)
    assert 2**0.5 * 2.706 / (n + 2.706) == pytest.approx(0.1, abs=1e-3)


def test_twice_the_noise_needs_four_times_the_data_and_a_margin_of_none_is_never_reached():
    rng = np.random.default_rng(1)
    process = rng.normal(0, 0.01, (6, 99))
    once, twice = (differences(np.zeros(6), process * n) for n in (1, 2))
    assert twice.growth_to_align(0.1) == pytest.approx(4 * once.growth_to_align(0.1))
    assert once.growth_to_align(0.2) == pytest.approx(once.growth_to_align(0.1) / 4)
    assert once.growth_to_align(0) == 1e6


def test_the_power_is_the_share_of_samples_whose_limit_lies_inside_if_nothing_differs():
    # One kind goes up by what the other goes down: a deviation of d is a distance of d, and its limit lies 1.645 of
    # their standard deviations beyond. Of four deviations of .01 and four of .05 that is .0385 * 1.645 = .0634 beyond.
    up = np.array([0.01, -0.01, 0.01, -0.01, 0.05, -0.05, 0.05, -0.05])
    sides = np.stack([up, -up]), np.zeros((2, 8))
    beyond = 1.645 * np.std(up, ddof=1)

    def power(margin):
        return power_to_align(sides, (10**9, 10**9), margin, errors=1.645)

    assert power(0.009 + beyond) == 0
    assert power(0.02 + beyond) == 0.5
    assert power(0.051 + beyond) == 1
    assert power_to_align(sides, (8, 10**9), 0.2, errors=1.645) == 0  # what 8 did not show may be .25
