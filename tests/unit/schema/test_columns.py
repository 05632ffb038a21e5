"""Arithmetic over columns that may be undefined."""

import numpy as np

from convsim.schema import ratio


def test_a_ratio_to_nothing_is_undefined_and_warns_of_nothing():
    found = ratio(np.array([1.0, 0.0, 3.0]), np.array([0, 0, 4]))
    np.testing.assert_array_equal(found, [np.nan, np.nan, 0.75])


def test_a_ratio_of_a_table_to_a_row_is_that_of_each_of_its_rows():
    found = ratio(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([2.0, 0.0]))
    np.testing.assert_array_equal(found, [[0.5, np.nan], [1.5, np.nan]])
