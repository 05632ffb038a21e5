"""Levels, pairs, tau-b, rho and the trend against SciPy, and adjusted p-values by hand."""

import numpy as np
import pytest
from scipy.stats import kendalltau, page_trend_test, spearmanr, ttest_1samp, ttest_ind, ttest_rel

from convsim.stats.group_levels import GroupLevels, pairs_of
from convsim.stats.kept_order import holm, most_tau_b, spearman, tau_b
from convsim.stats.ordered_trend import OrderedTrend

ONE = np.ones


def signs_of(values: np.ndarray) -> np.ndarray:
    first, second = pairs_of(len(values))
    return np.asarray(np.sign(values[first] - values[second])[None, :])


@pytest.mark.parametrize("seed", range(5))
def test_tau_b_and_rho_of_signs_are_scipys_of_values_with_ties(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 4, (2, 9)).astype(float)
    signs = signs_of(first), signs_of(second)
    assert tau_b(*signs)[0] == pytest.approx(kendalltau(first, second, variant="b").statistic)
    assert spearman(*signs, 9)[0] == pytest.approx(spearmanr(first, second).statistic)


def test_the_largest_tau_b_is_that_of_an_order_without_ties_that_agrees():
    first, second = np.array([1.0, 1, 2, 3, 3]), np.array([1.0, 2, 3, 4, 5])
    assert most_tau_b(signs_of(first)) == pytest.approx(kendalltau(first, second).statistic)


def test_users_who_met_both_are_compared_as_in_a_paired_test():
    values = np.random.default_rng(0).normal(size=(12, 3)) + np.arange(3)
    drawn = GroupLevels(values, ONE(values.shape)).drawn(ONE((12, 1)))
    for place, (a, b) in enumerate(zip(*pairs_of(3), strict=True)):
        assert drawn.p_two_sided[0, place] == pytest.approx(ttest_rel(values[:, a], values[:, b]).pvalue)
        above = ttest_rel(values[:, a], values[:, b], alternative="greater").pvalue
        assert drawn.p_above[0, place] == pytest.approx(above)


def test_the_error_between_users_is_welchs_and_that_of_a_level_students():
    rng = np.random.default_rng(1)
    here, there = rng.normal(size=9), rng.normal(1, 2, 14)
    sums = np.zeros((23, 2))
    sums[:9, 0], sums[9:, 1] = here, there
    counts = np.zeros((23, 2))
    counts[:9, 0] = counts[9:, 1] = 1
    drawn = GroupLevels(sums, counts).drawn(ONE((23, 1)))
    welch = ttest_ind(here, there, equal_var=False)
    assert drawn.differences[0, 0] / drawn.errors[0, 0] == pytest.approx(welch.statistic)
    assert drawn.freedom[0, 0] == 8
    error = np.sqrt(drawn.covariance[0, 0, 0])
    assert drawn.means[0, 0] / error == pytest.approx(ttest_1samp(here, 0).statistic)


def test_conversations_of_a_user_are_weighed_as_ratios_over_users():
    # Users with 1, 2 and 3 conversations: mean 14 / 6; by hand, squares of (sum - n * mean) over 6, times 3 / 2.
    sums, counts = np.array([[1.0], [4.0], [9.0]]), np.array([[1.0], [2.0], [3.0]])
    drawn = GroupLevels(sums, counts).drawn(ONE((3, 1)))
    mean = 14 / 6
    by_hand = sum(((s - n * mean) / 6) ** 2 for s, n in ((1, 1), (4, 2), (9, 3))) * 3 / 2
    assert drawn.means[0, 0] == pytest.approx(mean)
    assert drawn.covariance[0, 0, 0] == pytest.approx(by_hand)


def test_holms_p_values_by_hand():
    given = np.array([[0.01, 0.04, 0.03], [0.5, 0.02, 0.9]])
    assert holm(given) == pytest.approx(np.array([[0.03, 0.06, 0.06], [1.0, 0.06, 1.0]]))


def test_the_trend_within_users_is_pages_test():
    values = np.random.default_rng(3).normal(size=(8, 4)) + 0.35 * np.arange(4)
    found = OrderedTrend.of(
        GroupLevels(values, ONE(values.shape)), np.random.default_rng(4), n_permutations=9999
    )
    page = page_trend_test(values, method="exact")
    # Page's L is not centred: units times 4 * 2.5 * 2.5 more.
    assert found.within[0] + 8 * 25 == pytest.approx(page.statistic)
    assert np.allclose(found.between, found.between[0])
    assert found.p_rising == pytest.approx(page.pvalue, abs=0.01)


def test_the_trend_between_users_is_that_of_ranks():
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(3), 12)
    values = np.round(rng.normal(size=36) - 0.4 * group, 1)
    counts = np.eye(3)[group]
    found = OrderedTrend.of(
        GroupLevels(counts * values[:, None], counts), np.random.default_rng(6), n_permutations=9999
    )
    expected = spearmanr(group, values, alternative="less").pvalue
    assert not found.within.any()
    assert found.p_falling == pytest.approx(expected, abs=0.01)
    assert found.p_rising == pytest.approx(1 - expected, abs=0.01)
