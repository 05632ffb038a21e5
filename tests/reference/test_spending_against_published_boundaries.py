"""Error rates of looks against published boundaries, a hand calculation and SciPy's integral."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from convsim.stats.spending import error_rates, information, spent


def test_five_equal_looks_have_the_published_boundaries():
    # Reboussin, DeMets, Kim and Lan (2000), Computations for group sequential boundaries using the Lan-DeMets spending
    # function method, Controlled Clinical Trials 21: O'Brien-Fleming type, .05 two-sided, so .025 on each side.
    z = norm.isf(error_rates([0.2, 0.4, 0.6, 0.8, 1.0], alpha=0.025, n_questions=1))
    assert z == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4)


@pytest.mark.parametrize("fractions", [[0.5, 1.0], [0.33, 0.66, 0.9, 1.0], [0.1, 0.97, 1.0]])
def test_one_question_rejects_by_each_look_exactly_what_is_spent(fractions):
    z = np.asarray(norm.isf(error_rates(fractions, n_questions=1)))
    correlation = np.asarray([[(min(a, b) / max(a, b)) ** 0.5 for b in fractions] for a in fractions])
    for k in range(1, len(fractions) + 1):
        none = multivariate_normal(cov=correlation[:k, :k]).cdf(z[:k])
        assert 1 - none == pytest.approx(spent(fractions[k - 1]), abs=1e-4)


def test_the_largest_of_many_rejects_by_each_look_exactly_what_is_spent():
    fractions, m = [0.4, 0.7, 1.0], 20
    z = np.asarray(norm.ppf((1 - np.asarray(error_rates(fractions, n_questions=m))) ** (1 / m)))
    correlation = np.asarray([[(min(a, b) / max(a, b)) ** 0.5 for b in fractions] for a in fractions])
    for k in range(1, 4):
        none = multivariate_normal(cov=correlation[:k, :k]).cdf(z[:k])
        assert 1 - none**m == pytest.approx(spent(fractions[k - 1]), abs=5e-4)


def test_a_single_look_has_the_whole_error():
    assert error_rates([1.0]) == pytest.approx([0.05])
    assert error_rates([1.0], alpha=0.1, n_questions=1) == pytest.approx([0.1])


def test_looks_that_hang_together_less_are_stricter_and_never_more_so_than_what_is_spent():
    fractions = [0.3, 0.5, 0.8, 1.0]
    one, many = error_rates(fractions, n_questions=1), error_rates(fractions)
    increments = np.diff([0.0, *map(spent, fractions)])
    assert one[0] == pytest.approx(many[0]) == pytest.approx(increments[0])
    assert all(a > b > c for a, b, c in zip(one[1:], many[1:], increments[1:], strict=True))


def test_information_is_the_harmonic_sum_and_people_bound_it():
    assert information(150, 150) == 75
    assert information(150, 10**9) == pytest.approx(150)


@pytest.mark.parametrize("fractions", [[], [0.5], [0.5, 0.5, 1.0], [0.0, 1.0], [0.8, 0.4, 1.0], [0.5, 1.2]])
def test_fractions_that_do_not_increase_to_1_are_refused(fractions):
    with pytest.raises(ValueError, match="must increase from above 0 to 1"):
        error_rates(fractions)


def test_a_first_look_with_hardly_any_information_is_refused():
    with pytest.raises(ValueError, match=r"at 0\.05 of the information there is nothing to spend"):
        error_rates([0.05, 1.0])
