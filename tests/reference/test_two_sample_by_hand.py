"""The two-sample test's differences of single columns against SciPy and by hand."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from convsim.stats.two_sample import Compared, by_column, distances


def test_a_column_differs_by_its_means_in_pooled_standard_errors():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(30, 4))
    features[12:, 2] += 1
    dealt = (np.arange(30) < 12).astype(np.float32)[:, None]
    found = by_column(features, np.arange(30), dealt)[:, 0]
    pooled = np.sqrt(features.var(axis=0) * (1 / 12 + 1 / 18))
    by_hand = np.abs(features[:12].mean(axis=0) - features[12:].mean(axis=0)) / pooled
    np.testing.assert_allclose(found, by_hand)
    # Student's t takes the variance about each side's own mean, this one about that of all.
    t = ttest_ind(features[:12], features[12:]).statistic
    np.testing.assert_allclose(found, np.sqrt(30 * t**2 / (28 + t**2)))


def test_the_largest_of_them_is_what_the_test_looks_at():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(20, 3))
    dealt = np.column_stack([rng.permutation(np.arange(20) < 10) for _ in range(5)]).astype(np.float32)
    found = distances([Compared(features, features)], np.arange(20), dealt)
    single = by_column(features, np.arange(20), dealt)
    np.testing.assert_allclose(found.values[1], single.max(axis=0))
    assert found.largest == (0, int(single[:, 0].argmax()))


def test_rows_of_one_unit_count_as_one_where_they_are_alike():
    rng = np.random.default_rng(4)
    once = rng.normal(size=(16, 1))
    dealt = (np.arange(16) < 8).astype(np.float32)[:, None]
    alone = by_column(once, np.arange(16), dealt)[0, 0]
    threefold = by_column(np.repeat(once, 3, axis=0), np.repeat(np.arange(16), 3), dealt)[0, 0]
    # Within units nothing varies, so that all of the variance lies between them.
    assert threefold == pytest.approx(alone)
