import numpy as np
import pytest

from convsim_validators.marginals.kolmogorov_smirnov import Distributions


def distributions(process, n_units=(10**9, 10**9)):
    cells = len(process)
    even = np.arange(1, cells + 1) / cells
    effective = (np.full(cells, 1e9), np.full(cells, 1e9))
    return Distributions(even, even, np.asarray(process, float), effective, n_units)


def test_the_growth_that_shows_equal_populations_to_be_alike_by_hand():
    # Ten replicates of one point: +-.01 has a spread of .01, so each limit is .01 + 1.645 * .01.
    found = distributions([[0.01, -0.01] * 5, [0.0] * 10])
    assert found.growth_to_align(0.1) == pytest.approx((0.02645 / 0.1) ** 2)
    assert found.growth_to_align(0.01) == pytest.approx(2.645**2)


def test_four_in_five_replicates_are_inside():
    # Of five replicates one is far off; the fourth smallest decides.
    found = distributions([[0.01, 0.01, 0.01, -0.01, 0.5], [0.0] * 5])
    deviations = np.array([0.01, 0.01, 0.01, -0.01, 0.5])
    limits = np.sort(np.abs(deviations) + 1.645 * deviations.std())
    assert limits[3] <= 0.1 * found.growth_to_align(0.1) ** 0.5 <= limits[4]


def test_a_column_of_one_value_needs_as_many_as_show_that_others_are_rare():
    found = distributions(np.zeros((1, 9)), n_units=(10, 10))
    n = 10 * found.growth_to_align(0.1)
    assert 2**0.5 * 1.645**2 / (n + 1.645**2) == pytest.approx(0.1)
    assert found.growth_to_align(0) == 1e6
