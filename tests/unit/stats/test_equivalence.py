"""How much more data would decide, and of which side; and what the joint rule makes of given populations."""

import numpy as np
import pytest
from scipy.stats import norm

from convsim.schema import Needs
from convsim.stats.equivalence import (
    Margins,
    needed,
    normal_power,
    normal_quantile,
    power_at_equality,
    stated,
)
from convsim.stats.joint_equivalence import JointRule, far_off, joint_power


def test_the_power_of_a_metric_is_that_of_two_limits_inside_their_margins():
    variances = np.array([0.05**2, 0.08**2])
    expected = np.prod([2 * norm.cdf(m / s - 1.645) - 1 for m, s in ((0.147, 0.05), (0.25, 0.08))])
    found = power_at_equality(variances, Margins(), z=normal_quantile(0.95), two_valued=False)
    assert found == pytest.approx(expected, abs=1e-4)
    alone = power_at_equality(variances, Margins(), z=normal_quantile(0.95), two_valued=True)
    assert alone == pytest.approx(2 * norm.cdf(0.147 / 0.05 - 1.645) - 1, abs=1e-4)
    assert power_at_equality(np.array([1.0, 1.0]), Margins(), z=1.645, two_valued=False) == 0


def harmonic(target):
    """Reach power 1 once the two sides together are worth ``target``."""
    return lambda n, m: float(1 / (1 / n + 1 / m) >= target)


def test_more_simulated_conversations_are_asked_for_wherever_they_suffice():
    assert needed(harmonic(60), (100, 100)).model_dump() == {"side": "simulated", "more": 50}
    assert needed(harmonic(40), (100, 100)) is None


def test_people_are_asked_for_where_ten_simulated_for_each_do_not_suffice():
    found = needed(harmonic(200), (100, 100))
    # With ten times as many simulated conversations, n people are worth 10 n / 11.
    assert found.side == "people"
    assert found.more == pytest.approx(120, abs=10)


def test_nothing_is_asked_for_where_nothing_would_help():
    assert needed(lambda n, m: 0.5, (100, 100)) is None


def test_a_contrast_is_far_off_only_beyond_its_margin_for_sure():
    estimates = np.array([0.30, 0.30, 0.10])
    covariance = np.diag([0.03**2, 0.10**2, 0.0])
    rng = np.random.default_rng(1)
    found = far_off(estimates, covariance, np.full(3, 0.147), alpha=0.05, rng=rng)
    assert found.tolist() == [True, False, False]


def test_without_any_error_what_is_beyond_is_far_off():
    rng = np.random.default_rng(1)
    found = far_off(np.array([0.2, 0.1]), np.zeros((2, 2)), np.full(2, 0.147), alpha=0.05, rng=rng)
    assert found.tolist() == [True, False]


def test_the_joint_rule_finds_equal_populations_alike_and_distant_ones_not():
    covariance = np.eye(40) * 0.08**2
    weights = np.full(20, 1 / 20)
    power = {
        shift: joint_power(
            covariance, weights, JointRule(), truth=np.r_[np.full(20, shift), np.zeros(20)],
            rng=np.random.default_rng(2),
        )
        for shift in (0.0, 0.147, 0.3)
    }  # fmt: skip
    assert power[0.0] > 0.95
    assert power[0.147] < 0.06
    assert power[0.3] == 0


def test_the_power_of_a_normal_limit_by_hand():
    # 2 - 1.645 = .355 standard errors: 63.9 % lie below.
    assert normal_power(0.2, 0.1, z=1.645) == pytest.approx(0.6387, abs=1e-4)
    assert (normal_power(0.2, 0.0, z=1.645), normal_power(-0.1, 0.0, z=1.645)) == (1.0, 0.0)


def test_what_decides_is_stated_with_the_sizes_that_it_makes():
    assert stated(None, (100, 100)) == {}
    assert stated(Needs(side="simulated", more=50), (100, 100)) == {
        "needs": {"side": "simulated", "more": 50}, "n_to_decide": {"real": 100, "simulated": 150},
    }  # fmt: skip
    more_people = stated(Needs(side="people", more=20), (100, 100))
    assert more_people["n_to_decide"] == {"real": 120, "simulated": 1200}  # ten for one of people
