"""The reaction ratio, its intervals and the errors that it stands on, against hand calculations and direct solves."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from convsim.stats.reaction_ratio import (
    JointShifts,
    largest_change,
    least_factor,
    limit_where_nothing_shifts,
    power_of_a_perfect_simulator,
    root_mean_square_limits,
)
from convsim_validators.counterfactual.influence import Together, influence
from convsim_validators.counterfactual.shifts import MetricShift, stretch
from convsim_validators.counterfactual.two_arm import Arms, ArmSide
from tests.corpora import corpus
from tests.two_arms import CONTROL, TREATMENT, arms_of

ARMS = Arms(CONTROL, TREATMENT)
Z = 1.96


def shifts(people, simulated, *, people_var, simulated_var, crossed=0.0):
    k = len(people)
    covariance = np.diag([people_var] * k + [simulated_var] * k).astype(float)
    covariance[:k, k:] = covariance[k:, :k] = crossed * np.eye(k)
    return JointShifts(np.asarray(people, float), np.asarray(simulated, float), covariance)


def test_the_ratio_of_two_metrics_is_the_one_calculated_by_hand():
    ratio = shifts([1.0, -0.5], [0.6, 0.1], people_var=0.02, simulated_var=0.03).ratio
    # 1 x .6 - .5 x .1 = .55; 1 + .25 - 2 x .02 = 1.21
    assert ratio.estimate == pytest.approx(0.55 / 1.21)
    # .03 x 1.25 + .02 x .37 = .0449; 2 x .02 x .55 = .022; 4 x .02 x 1.25 = .1
    assert ratio.variances == pytest.approx((0.0449, 0.022, 0.1))
    r = 0.55 / 1.21
    half = Z * np.sqrt(0.0449 - 2 * r * 0.022 + r * r * 0.1) / 1.21
    assert ratio.delta(Z) == pytest.approx((r - half, r + half))


def test_what_both_sides_errors_have_in_common_is_taken_from_the_numerator():
    ratio = shifts([1.0, -0.5], [0.6, 0.1], people_var=0.02, simulated_var=0.03, crossed=0.01).ratio
    assert ratio.numerator == pytest.approx(0.55 - 2 * 0.01)
    # To the variances come 2 x .01 x .55 and 2 x .01 x 1.25.
    assert ratio.variances == pytest.approx((0.0449 + 0.011, 0.022 + 0.025, 0.1))


def test_fiellers_limits_are_where_the_difference_leaves_its_standard_errors():
    ratio = shifts([1.0, -0.5], [0.6, 0.1], people_var=0.02, simulated_var=0.03).ratio
    top, both, bottom = ratio.variances

    def beyond(r):
        return (0.55 - r * 1.21) ** 2 - Z**2 * (top - 2 * r * both + r * r * bottom)

    low, high = brentq(beyond, -3, ratio.estimate), brentq(beyond, ratio.estimate, 5)
    assert ratio.fieller(Z) == pytest.approx((low, high))
    delta = ratio.delta(Z)
    assert ratio.interval(Z) == pytest.approx((min(low, delta[0]), max(high, delta[1])))


def test_with_one_metric_fiellers_limits_are_those_of_a_ratio_of_two_means():
    """The squares cancel: D_h (D_s - R D_h) with D_h far from 0 is the ratio of two means."""
    ratio = shifts([10.0], [5.0], people_var=0.04, simulated_var=0.09).ratio
    plain = 10.0**2 - Z**2 * 0.04, 10.0 * 5.0, 5.0**2 - Z**2 * 0.09
    root = np.sqrt(plain[1] ** 2 - plain[0] * plain[2])
    means = (plain[1] - root) / plain[0], (plain[1] + root) / plain[0]
    assert ratio.fieller(Z) == pytest.approx(means, rel=0.01)


def test_people_who_may_not_shift_at_all_leave_no_interval():
    # .09 - .04 = .05 of squares, with an error of 2 x .2 x .3 = .12
    ratio = shifts([0.3], [0.3], people_var=0.04, simulated_var=0.04).ratio
    assert ratio.fieller(Z) is None
    assert ratio.interval(Z) is None
    assert shifts([0.1], [0.3], people_var=0.04, simulated_var=0.04).ratio.estimate is None


def test_the_metric_that_changes_the_ratio_most_is_named_with_the_ratio_without_it():
    joint = shifts([1.0, 0.5, 0.5], [0.0, 0.5, 0.4], people_var=0.01, simulated_var=0.01)
    changed = largest_change(joint)
    assert changed is not None
    place, without = changed
    assert place == 0
    assert without == pytest.approx((0.25 + 0.2) / (0.5 - 0.02))


def test_a_metric_without_which_people_do_not_shift_changes_all():
    joint = shifts([1.0, 0.05], [1.0, 0.0], people_var=0.01, simulated_var=0.01)
    assert largest_change(joint) == (0, None)
    assert largest_change(shifts([1.0], [1.0], people_var=0.01, simulated_var=0.01)) is None


def test_limits_of_the_root_mean_square_are_where_its_score_test_turns():
    covariance = np.asarray([[0.02, 0.01], [0.01, 0.03]])
    shift = np.asarray([0.3, 0.2])
    square, trace, rest = 0.13, 0.05, 0.0004 + 2 * 0.0001 + 0.0009
    direction = (0.09 * 0.02 + 2 * 0.06 * 0.01 + 0.04 * 0.03) / square

    def score(true):
        return (square - trace - true) ** 2 - 1.645**2 * (4 * true * direction + 2 * rest)

    high = brentq(score, square - trace, 5)
    assert root_mean_square_limits(shift, covariance, 1.645) == pytest.approx((0, np.sqrt(high / 2)))
    small = covariance / 100
    low = brentq(
        lambda t: (square - trace / 100 - t) ** 2 - 1.645**2 * (4 * t * direction / 100 + 2 * rest / 1e4),
        0,
        square - trace / 100,
    )
    assert root_mean_square_limits(shift, small, 1.645)[0] == pytest.approx(np.sqrt(low / 2))


def test_the_limit_where_nothing_shifts_is_that_of_an_estimate_that_one_of_ten_exceeds():
    # One metric of variance .02: the square's excess, of standard deviation .02 x 2^.5, is 1.2816 of these.
    excess = 1.2816 * np.sqrt(2) * 0.02
    high = brentq(lambda t: (excess - t) ** 2 - 1.645**2 * (4 * t * 0.02 + 2 * 0.0004), excess, 5)
    assert limit_where_nothing_shifts(np.asarray([[0.02]]), 1.645) == pytest.approx(np.sqrt(high))


def test_the_power_of_a_perfect_simulator_is_that_of_two_one_sided_tests_where_shifts_are_large():
    joint = shifts([2.0], [2.0], people_var=0.01, simulated_var=0.0001)
    # At 1.5 people's error counts twice: sd 2 x 2 x .1 = .4 against .5 x 4 = 2; below, the delta method's .2.
    expected = stats.norm.cdf(2 / 0.4 - 1.645) + stats.norm.cdf(2 / 0.2 - 1.645) - 1
    assert power_of_a_perfect_simulator(joint, (1, 1), margin=0.5, z=1.645) == pytest.approx(
        expected, abs=0.01
    )


def test_the_least_factor_is_found_to_half_a_per_cent():
    assert least_factor(lambda factor: factor >= 7.3, (1.0, 100.0)) == pytest.approx(7.3, rel=0.006)
    assert least_factor(lambda factor: True, (2.0, 100.0)) == 2.0


def side_of(corpus_, seed=1):
    return ArmSide.of(corpus_, ARMS, 1999, np.random.default_rng(seed))


def test_squared_contributions_add_up_to_the_variance_of_a_difference_of_means():
    rng = np.random.default_rng(5)
    control, treated = rng.normal(0, 1, 30), rng.normal(0, 2, 40)
    side = side_of(arms_of({"x": control}, {"x": treated}, prefix="r"))
    own = influence(side, side.column("x"), np.ones(1))
    assert (own**2).sum() == pytest.approx(control.var(ddof=1) / 30 + treated.var(ddof=1) / 40)


def test_of_a_user_who_met_both_arms_what_they_have_in_common_cancels():
    rng = np.random.default_rng(6)
    habit = rng.normal(0, 3, 50)
    control, treated = habit + rng.normal(0, 0.5, 50), habit + rng.normal(0, 0.5, 50)
    users = [f"u{i}" for i in range(50)] * 2
    side = side_of(arms_of({"x": control}, {"x": treated}, prefix="r", users=users))
    own = influence(side, side.column("x"), np.ones(1))
    assert (own**2).sum() == pytest.approx((treated - control).var(ddof=1) / 50)


@pytest.mark.parametrize("n_tasks", [1, 3, 15])
def test_they_agree_with_the_bootstrap_before_its_intervals_are_stretched(n_tasks):
    rng = np.random.default_rng(n_tasks)
    tasks = [f"task {i % n_tasks}" for i in range(60)] * 2
    level = np.asarray([int(task[5:]) for task in tasks]) * 0.1
    x = rng.normal(0, 1, 120) + level
    side = side_of(corpus({"x": x}, arms=[CONTROL] * 60 + [TREATMENT] * 60, tasks=tasks, prefix="r"))
    [shift] = [MetricShift.of([side, side], m, ARMS, seed=1) for m in side.corpus.metrics.values()]
    weight = shift.standards.of_side[0].over(side)
    own = np.sqrt((influence(side, side.column("x"), weight) ** 2).sum())
    drawn = shift.shifts[0].deviations.std() / stretch(60, n_cells=n_tasks)
    assert own == pytest.approx(drawn, rel=0.12)


def test_a_user_on_both_sides_makes_their_errors_hang_together():
    rng = np.random.default_rng(7)
    users = [f"u{i}" for i in range(40)]
    habit = rng.normal(0, 1, 40)
    arms = [CONTROL] * 20 + [TREATMENT] * 20
    noise = rng.normal(0, 0.2, (2, 40))
    sides = [
        side_of(corpus({"x": habit + noise[i]}, arms=arms, users=users, prefix=prefix))
        for i, prefix in enumerate("rs")
    ]
    measured = [MetricShift.of(sides, m, ARMS, seed=1) for m in sides[0].corpus.metrics.values()]
    together = Together.of(sides, measured)
    first, second = (habit + noise[0]), (habit + noise[1])
    expected = sum(np.cov(first[rows], second[rows])[0, 1] / 20 for rows in (slice(0, 20), slice(20, 40)))
    assert together.n_on_both_sides == 40
    assert together.shifts.covariance[0, 1] == pytest.approx(expected / measured[0].human_sd ** 2)


def test_conversations_with_the_same_ids_on_both_sides_are_no_pairs():
    rng = np.random.default_rng(8)
    sides = [
        side_of(arms_of({"x": rng.normal(0, 1, 20)}, {"x": rng.normal(0, 1, 20)}, prefix="c"))
        for _ in range(2)
    ]
    measured = [MetricShift.of(sides, m, ARMS, seed=1) for m in sides[0].corpus.metrics.values()]
    together = Together.of(sides, measured)
    assert together.n_on_both_sides == 0
    assert together.shifts.covariance[0, 1] == 0
