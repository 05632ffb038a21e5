"""The statistics of ``marginals`` against SciPy and hand calculations."""

import numpy as np
import pytest
from scipy import stats

from convsim.stats.ecdf import superiority
from convsim.stats.multiplicity import permutation_p_value
from convsim_validators import Marginals
from tests.corpora import corpus

SAMPLES = {
    "continuous": (np.random.default_rng(1).normal(0, 1, 60), np.random.default_rng(2).normal(0.4, 1.5, 45)),
    "ties": (np.array([1, 1, 2, 2, 2, 3, 3, 4, 4, 9.0]), np.array([1, 2, 2, 3, 3, 3, 3, 5, 5.0])),
    "two a side": (np.array([1.0, 4.0]), np.array([2.0, 9.0])),
    "constant and equal": (np.full(12, 3.0), np.full(9, 3.0)),
    "constant and apart": (np.full(12, 3.0), np.full(9, 5.0)),
}


def finding(real, simulated):
    sides = corpus({"x": real}, prefix="r"), corpus({"x": simulated}, prefix="s")
    return Marginals(n_resamples=99).validate(*sides, seed=1)[0]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_estimate_is_scipys_kolmogorov_smirnov_distance(name):
    real, simulated = SAMPLES[name]
    assert finding(real, simulated).estimate == pytest.approx(stats.ks_2samp(real, simulated).statistic)


@pytest.mark.parametrize("name", [name for name in SAMPLES if "constant and equal" not in name])
def test_u_is_scipys_and_cliffs_delta_counts_pairs(name):
    real, simulated = SAMPLES[name]
    details = finding(real, simulated).details
    assert details["mann_whitney_u"] == stats.mannwhitneyu(real, simulated).statistic
    pairs = np.sign(simulated[:, None] - real[None, :])
    assert details["cliffs_delta"] == pytest.approx(pairs.mean())


def test_two_equal_constants_have_half_of_all_pairs_and_no_delta():
    details = finding(*SAMPLES["constant and equal"]).details
    assert details["mann_whitney_u"] == 12 * 9 / 2
    assert details["cliffs_delta"] == 0


@pytest.mark.parametrize("name", ["continuous", "ties", "two a side"])
def test_wasserstein_is_scipys_in_units_of_the_human_standard_deviation(name):
    real, simulated = SAMPLES[name]
    expected = stats.wasserstein_distance(real, simulated) / np.std(real, ddof=1)
    assert finding(real, simulated).details["wasserstein"] == pytest.approx(expected)


def test_wasserstein_is_null_where_people_do_not_vary():
    assert finding(*SAMPLES["constant and apart"]).details["wasserstein"] is None


def test_mean_sd_and_median_are_numpys():
    real, simulated = SAMPLES["ties"]
    details = finding(real, simulated).details
    assert details["real"] == {
        "mean": pytest.approx(3.1),
        "sd": pytest.approx(np.std(real, ddof=1)),
        "median": 2.5,
    }
    assert details["simulated"]["median"] == 3.0


def test_undefined_values_are_left_out_and_counted():
    result = finding(np.array([1, np.nan, 2, np.nan, np.nan]), np.array([1.0, 2, np.nan]))
    assert (result.n_real, result.n_simulated) == (2, 2)
    assert (result.details["n_undefined_real"], result.details["n_undefined_simulated"]) == (3, 1)
    assert result.estimate == 0


def test_cell_counts_give_cliffs_delta_of_the_values_by_hand():
    # real 1, 1, 2; simulated 1, 2, 2: of nine pairs four are above, one below, four tie.
    assert superiority(np.array([2.0, 1.0]), np.array([1.0, 2.0])) == pytest.approx((4 - 1) / 9)


def test_a_permutation_p_value_counts_the_observed_arrangement_too():
    assert permutation_p_value(0.5, np.array([0.1, 0.5, 0.9])) == pytest.approx((2 + 1) / (3 + 1))
    assert permutation_p_value(2.0, np.zeros(99)) == pytest.approx(0.01)


def test_the_permutation_p_value_agrees_with_scipys_exact_test():
    rng = np.random.default_rng(5)
    real, simulated = rng.normal(0, 1, 40), rng.normal(0.5, 1, 40)
    sides = corpus({"x": real}, prefix="r"), corpus({"x": simulated}, prefix="s")
    ours = Marginals(n_resamples=4999).validate(*sides, seed=3)[0].p_value
    exact = stats.ks_2samp(real, simulated, method="exact").pvalue
    assert ours == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 4999) + 1e-3)
