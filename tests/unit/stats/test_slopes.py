"""Means and slopes over the steps of a ladder, where not every unit has every metric."""

import numpy as np
import pytest

from convsim.seeds import generator
from convsim.stats.severity_levels import Cells
from convsim.stats.slopes import Slopes, expanded_percentiles

SEVERITIES = np.array([0.0, 0.5, 1.0])


def found() -> Slopes:
    """Four units: the first has all steps; the others lack the metric at the middle one, the last step, and both."""
    unit_of, level_of = np.array([0, 0, 0, 1, 1, 1, 2, 2, 3]), np.array([0, 1, 2, 0, 1, 2, 0, 1, 0])
    values = np.array([1, 2, 3, 3, np.nan, 5, 5, 8, 3])[:, None]
    return Slopes.of(Cells(unit_of, level_of, values, 4), SEVERITIES, 999, generator(1, "test"))


def test_means_are_taken_of_the_units_that_have_the_metric_and_those_are_counted():
    slopes = found()
    assert slopes.means[:, 0].tolist() == [3, 5, 4]
    assert slopes.n_at[:, 0].tolist() == [4, 2, 2]
    assert slopes.n_units.tolist() == [4]


def test_a_mean_s_interval_is_the_wider_the_fewer_units_have_the_metric():
    slopes = found()
    bounds = [slopes.mean_interval(step, 0, 0.95) for step in range(3)]
    resampled = slopes.resampled_means[:, 0, 0]
    assert bounds[0] == expanded_percentiles(resampled, 4, level=0.95)
    # One resample in 16 has no unit of the two that have the metric; that is no reason to give up.
    assert bounds[1] is not None
    assert (bounds[1][0], bounds[1][1]) == (2, 8)


def test_one_unit_has_no_interval_and_two_have_one():
    assert expanded_percentiles(np.arange(100.0), 1, level=0.95) is None
    assert expanded_percentiles(np.arange(100.0), 2, level=0.95) is not None


@pytest.mark.parametrize(("n_undefined", "known"), [(10, True), (11, False)])
def test_a_tenth_of_the_resamples_may_be_undefined_and_not_more(n_undefined, known):
    resampled = np.arange(100.0)
    resampled[:n_undefined] = np.nan
    assert (expanded_percentiles(resampled, 9, level=0.95) is not None) == known
