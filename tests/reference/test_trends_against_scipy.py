"""Trends, slopes and intervals over severities against SciPy's, NumPy's, or a hand calculation."""

import numpy as np
import pytest
from scipy.stats import beta, linregress, page_trend_test, permutation_test
from scipy.stats import t as student

from convsim.seeds import generator
from convsim.stats.decision import BoundedMean
from convsim.stats.severity_levels import Cells
from convsim.stats.slopes import Slopes, expanded_percentiles, slope_contrast
from convsim_validators.dose_response.trend import Trends, differences
from convsim_validators.relations.verdict import Violations, clopper_pearson
from tests.corpora import ladder

SEVERITIES = np.array([0, 0.25, 0.5, 1])


def blocks(values: np.ndarray) -> Cells:
    """Make cells of units seen at every level, from values of shape (units, levels)."""
    n, k = values.shape
    return Cells(np.repeat(np.arange(n), k), np.tile(np.arange(k), n), values.reshape(-1, 1), n)


def groups(*of_levels: list[float]) -> Cells:
    """Make cells of units seen at one level each."""
    values = [value for level in of_levels for value in level]
    levels = [number for number, level in enumerate(of_levels) for _ in level]
    return Cells(np.arange(len(values)), np.asarray(levels), np.asarray(values, float)[:, None], len(values))


def trends(cells: Cells, *, paired: bool, n: int = 999) -> Trends:
    joint = np.ones(cells.values.shape[1], bool)
    return Trends.of(cells, paired=paired, joint=joint, n_permutations=n, rng=generator(1, "test"))


@pytest.mark.parametrize("tied", [False, True])
def test_page_s_l_is_scipy_s(tied):
    values = np.random.default_rng(3).normal(0, 1, (20, 4)) + np.arange(4) * 0.3
    values = np.round(values) if tied else values
    assert trends(blocks(values), paired=True).statistics[0] == pytest.approx(
        page_trend_test(values).statistic
    )


def test_page_s_p_value_is_twice_scipy_s_one_sided_one():
    values = np.random.default_rng(4).normal(0, 1, (30, 5)) + np.arange(5) * 0.15
    expected = 2 * page_trend_test(values, method="asymptotic").pvalue
    assert trends(blocks(values), paired=True, n=9999).p_values[0] == pytest.approx(expected, abs=0.01)


def test_jonckheere_terpstra_by_hand():
    # Levels 0 and 1: 1 < 2 counts 1, 1 = 1 one half, 2 = 2 one half, 2 > 1 nothing; levels 0 and 2: four rise; levels
    # 1 and 2: four rise. In all 2 + 4 + 4 = 10.
    cells = groups([1, 2], [2, 1], [3, 3])
    assert trends(cells, paired=False).statistics[0] == pytest.approx(10)


def test_jonckheere_terpstra_s_p_value_is_that_of_all_arrangements():
    values = np.array([1.0, 5.0, 2.0, 8.0, 9.0, 4.0, 10.0, 12.0])
    levels = np.array([0, 0, 0, 1, 1, 1, 2, 2])

    def statistic(x):
        later = levels[:, None] < levels[None, :]
        return ((x[:, None] < x[None, :]) & later).sum() - later.sum() / 2

    exact = permutation_test(
        (values,), lambda x: abs(statistic(x)), permutation_type="pairings", n_resamples=10**6,
        alternative="greater", vectorized=False,
    )  # fmt: skip
    cells = groups(list(values[:3]), list(values[3:6]), list(values[6:]))
    found = trends(cells, paired=False, n=9999).p_values[0]
    assert found == pytest.approx(exact.pvalue, abs=0.01)


def test_a_paired_difference_is_tested_as_by_scipy_s_sign_flips():
    values = np.random.default_rng(5).normal(0, 1, (12, 2)) + np.array([0, 0.5])
    exact = permutation_test(
        (values[:, 0], values[:, 1]), lambda a, b, axis: (b - a).mean(axis), permutation_type="samples",
        n_resamples=10**6, vectorized=True,
    )  # fmt: skip
    found = differences(blocks(values), 2, 9999, generator(2, "test"))[1, 0]
    assert found == pytest.approx(exact.pvalue, abs=0.015)


def test_independent_groups_are_tested_as_by_scipy_s_exchange_of_units():
    rng = np.random.default_rng(6)
    first, second = list(rng.normal(0, 1, 8)), list(rng.normal(0.8, 1, 8))
    exact = permutation_test(
        (first, second), lambda a, b, axis: b.mean(axis) - a.mean(axis), n_resamples=10**6, vectorized=True
    )
    found = differences(groups(first, second), 2, 9999, generator(2, "test"))[1, 0]
    assert found == pytest.approx(exact.pvalue, abs=0.015)


def test_the_slope_is_the_regression_s_and_the_mean_of_the_personas_own():
    values = np.random.default_rng(7).normal(0, 1, (15, 4)) + SEVERITIES
    found = Slopes.of(blocks(values), SEVERITIES, 99, generator(1, "test")).slopes[0]
    assert found == pytest.approx(linregress(np.tile(SEVERITIES, 15), values.ravel()).slope)
    assert found == pytest.approx(np.mean([np.polyfit(SEVERITIES, row, 1)[0] for row in values]))
    assert found == pytest.approx((values @ slope_contrast(SEVERITIES)).mean())


def test_the_slope_s_interval_is_student_s_for_normal_values():
    # The smaller the sample, the more a plain percentile interval falls short of it.
    rng = np.random.default_rng(8)
    ratios = []
    for _ in range(20):
        values = rng.normal(0, 1, 8)
        means = rng.choice(values, (4000, 8)).mean(axis=1)
        limits = expanded_percentiles(means, 8, level=0.95)
        assert limits is not None
        expected = student.interval(0.95, 7, values.mean(), values.std(ddof=1) / np.sqrt(8))
        ratios.append((limits[1] - limits[0]) / (expected[1] - expected[0]))
    assert np.mean(ratios) == pytest.approx(1, abs=0.07)


@pytest.mark.parametrize(("successes", "trials"), [(0, 20), (3, 40), (40, 40)])
def test_the_share_of_violations_has_clopper_and_pearson_s_limits(successes, trials):
    low = beta.ppf(0.025, successes, trials - successes + 1) if successes else 0.0
    high = beta.ppf(0.975, successes + 1, trials - successes) if successes < trials else 1.0
    assert clopper_pearson(successes, trials) == pytest.approx((low, high))


def test_no_violation_among_72_personas_rules_out_5_percent_and_among_71_does_not():
    # 1 - .025 ** (1 / 72) = .0499 and 1 - .025 ** (1 / 71) = .0506.
    def verdict(n):
        simulated = ladder({"x": np.zeros((n, 1))}, [0])
        return Violations.of(simulated, np.zeros(n)).judge(0.0)

    assert verdict(72).verdict == "aligned"
    assert (verdict(71).verdict, verdict(71).n_to_decide) == ("undecided", 72)


@pytest.mark.parametrize("successes", [0, 4, 25])
def test_a_bounded_mean_of_zeros_and_ones_has_clopper_and_pearson_s_limits(successes):
    values = np.repeat([1.0, 0.0], [successes, 25 - successes])
    low, high = BoundedMean.of(2 * values - 1, 1.0, 100_000, generator(1, "test")).interval(0.95)
    expected = clopper_pearson(successes, 25)
    assert ((low + 1) / 2, (high + 1) / 2) == pytest.approx(expected, abs=0.006)
