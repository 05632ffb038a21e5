import numpy as np
import pytest

from convsim.stats.variance_components import Sizes, VarianceComponents, difference_of_means


def components(values, unit_of):
    """Estimate them from rows, shape (rows,), of units numbered from 0."""
    sizes = np.bincount(unit_of).astype(float)
    sums = np.bincount(unit_of, values).astype(np.float64)[:, None]
    return VarianceComponents.of(sums, sizes, np.asarray([np.mean(values**2)]))


def test_components_are_those_that_values_were_drawn_with():
    rng = np.random.default_rng(0)
    unit_of = np.repeat(np.arange(4000), rng.integers(1, 6, 4000))
    values = rng.normal(0, 2, 4000)[unit_of] + rng.normal(3, 1, len(unit_of))
    found = components(values, unit_of)
    assert found.between[0] == pytest.approx(4, rel=0.08)
    assert found.within[0] == pytest.approx(1, rel=0.15)


def test_the_standard_error_is_that_of_means_of_units_by_hand():
    found = VarianceComponents(np.asarray([1.0, 1.0, 4.0]), np.asarray([2.0]), np.asarray([0.5]))
    dealt = np.asarray([[1], [0], [0]], np.float32)
    # One row: 2 + .5. Rows of sizes 1 and 4, five in all: 2 / 5 + .5 x (1 + 16) / 25.
    assert found.errors(dealt)[0, 0] ** 2 == pytest.approx(2.5 + 0.4 + 0.34)


def test_where_all_units_are_of_one_size_no_dealing_is_more_precise_than_another():
    rng = np.random.default_rng(1)
    found = components(rng.normal(size=40), np.repeat(np.arange(20), 2))
    dealt = rng.permuted(np.tile(np.arange(20) < 8, (50, 1)), axis=1).T.astype(np.float32)
    assert np.ptp(found.errors(dealt)) == pytest.approx(0, abs=1e-12)


def test_rows_that_are_all_alike_and_units_of_one_row_have_no_variance_between_them():
    assert (
        components(np.ones(6), np.repeat(np.arange(3), 2)).errors(np.asarray([[1], [0], [0]], np.float32))
        == 0
    )
    assert components(np.random.default_rng(2).normal(size=9), np.arange(9)).between == 0


def test_a_difference_of_means_weighs_rows_and_not_units():
    sizes = np.asarray([1.0, 3.0, 2.0])
    sums = np.asarray([5.0, 3.0, 8.0])
    apart = sums @ difference_of_means(np.asarray([[1], [1], [0]], np.float32), sizes)
    assert apart == pytest.approx([(5 + 3) / 4 - 8 / 2])


def test_rows_are_added_up_without_an_error_where_there_are_more_than_float32_can_tell_apart():
    sizes = np.asarray([2.0**24, 1.0, 2.0**24, 1.0])
    sides = Sizes.of(sizes, np.asarray([[1, 1], [1, 0], [0, 1], [0, 0]], np.uint8))
    n = np.asarray([2.0**24 + 1, 2.0**25])
    others = sizes.sum() - n
    np.testing.assert_allclose(sides.by_row, 1 / n + 1 / others, rtol=1e-15)
