"""The interval of a mean, against SciPy and by hand."""

import pytest
from scipy import stats

from convsim.stats.means import difference_is_shown, mean_interval


def test_where_each_observation_is_its_own_unit_it_is_students_interval():
    values = [1.0, 2.5, 2.0, 4.0, 3.5]
    expected = stats.t.interval(0.95, 4, loc=stats.tmean(values), scale=stats.sem(values))
    assert mean_interval(values, range(5)) == pytest.approx(expected)


def test_the_same_said_twice_by_each_unit_adds_nothing():
    values, units = [1.0, 2.5, 2.0, 4.0], [0, 1, 2, 3]
    assert mean_interval(values * 2, units * 2) == pytest.approx(mean_interval(values, units))


def test_one_unit_or_numbers_that_cannot_be_squared_tell_no_noise():
    assert mean_interval([1.0, 2.0], ["one", "one"]) is None
    assert mean_interval([1.0], ["one"]) is None
    assert mean_interval([1e308, -1e308, 1e308], [1, 2, 3]) is None


@pytest.mark.parametrize(("larger", "shown"), [(1.49, False), (1.51, True)])
def test_a_difference_is_shown_beyond_the_noise_of_both(larger, shown):
    # By hand: halves of 0.4 and 0.3, whose root of the sum of squares is 0.5.
    assert difference_is_shown(1.0, larger, ((0.6, 1.4), (larger - 0.3, larger + 0.3))) is shown
    assert not difference_is_shown(1.0, larger, (None, (larger - 0.3, larger + 0.3)))
