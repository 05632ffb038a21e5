"""Shifts, standardisation and intervals against hand calculations, SciPy's bootstrap and Welch's interval."""

import numpy as np
import pytest
from scipy import stats

from convsim.seeds import generator
from convsim_validators.counterfactual.counterfactual import Counterfactual
from convsim_validators.counterfactual.shifts import MetricShift, halves, human_baseline, stretch
from convsim_validators.counterfactual.summaries import directional_agreement, joint_test
from convsim_validators.counterfactual.two_arm import Arms, ArmSide
from convsim_validators.counterfactual.unseen_arm import cost_of_not_seeing
from tests.corpora import corpus
from tests.two_arms import CONTROL, TREATMENT, arms_of

ARMS = Arms(CONTROL, TREATMENT)


def measured(*sides, n_replicates=499):
    drawn = [ArmSide.of(s, ARMS, n_replicates, np.random.default_rng(i)) for i, s in enumerate(sides)]
    return [MetricShift.of(drawn, metric, ARMS, seed=1) for metric in sides[0].metrics.values()]


def cells(values, prefix):
    """Make a corpus of {(arm, task): values}."""
    arms = [arm for (arm, _), of_cell in values.items() for _ in of_cell]
    tasks = [task for (_, task), of_cell in values.items() for _ in of_cell]
    return corpus(
        {"x": [x for of_cell in values.values() for x in of_cell]}, arms=arms, tasks=tasks, prefix=prefix
    )


REAL = cells(
    {
        (CONTROL, "tops"): [1, 3], (TREATMENT, "tops"): [4, 4, 4, 8],  # 2 -> 5: 3, in 6 conversations
        (CONTROL, "shoes"): [10, 20, 30], (TREATMENT, "shoes"): [21],  # 20 -> 21: 1, in 4
        (CONTROL, "hats"): [7], (TREATMENT, "coats"): [9],
    },
    "r",
)  # fmt: skip
SIMULATED = cells(
    {
        (CONTROL, "tops"): [0], (TREATMENT, "tops"): [2, 2, 2, 2],  # 2
        (CONTROL, "shoes"): [5, 5], (TREATMENT, "shoes"): [1, 3],  # -3
        (CONTROL, "hats"): [100], (TREATMENT, "hats"): [0],
    },
    "s",
)  # fmt: skip


def test_shifts_are_averaged_over_the_tasks_of_all_four_arms_by_the_human_conversations():
    [shift] = measured(REAL, SIMULATED)
    # Weights: 6 of 10 for tops, 4 of 10 for shoes; hats and coats are not in all four.
    assert shift.standards.of_side[0].tasks == ("shoes", "tops")
    assert shift.shifts[0].estimate == pytest.approx(0.6 * 3 + 0.4 * 1)
    assert shift.shifts[1].estimate == pytest.approx(0.6 * 2 + 0.4 * -3)
    assert shift.shifts[0].means == pytest.approx((0.6 * 2 + 0.4 * 20, 0.6 * 5 + 0.4 * 21))
    assert (shift.shifts[0].n, shift.shifts[1].n) == ((5, 5), (3, 6))


def test_sides_without_a_task_in_common_weigh_their_own_tasks():
    other = cells({(CONTROL, "boots"): [0, 0, 0], (TREATMENT, "boots"): [4]}, "s")
    [shift] = measured(REAL, other)
    assert not shift.standards.common
    assert shift.shifts[0].estimate == pytest.approx(0.6 * 3 + 0.4 * 1)
    assert shift.shifts[1].estimate == pytest.approx(4)


def test_the_human_standard_deviation_is_pooled_within_arms():
    real = arms_of({"x": [1, 2, 3]}, {"x": [10, 14]}, prefix="r")
    [shift] = measured(real, real)
    # Squares about the arms' means: 2 and 8, over 5 - 2 degrees of freedom.
    assert shift.human_sd == pytest.approx(np.sqrt(10 / 3))


@pytest.mark.parametrize("n", [20, 60])
@pytest.mark.parametrize("kind", ["normal", "binary", "geometric"])
def test_the_interval_of_a_plain_two_sample_shift_is_near_welchs_and_scipys_bootstrap(kind, n):
    rng = np.random.default_rng(n)
    draw = {
        "normal": lambda arm: rng.normal(arm, 1 + arm, n),
        "binary": lambda arm: (rng.random(n) < (0.5, 0.25)[arm]).astype(float),
        "geometric": lambda arm: rng.geometric((0.4, 0.25)[arm], n).astype(float),
    }[kind]
    control, treated = draw(0), draw(1)
    sides = [arms_of({"x": control}, {"x": treated}, prefix=prefix) for prefix in "rs"]
    [shift] = measured(*sides, n_replicates=4999)
    low, high = shift.shifts[0].interval
    assert shift.shifts[0].estimate == pytest.approx(treated.mean() - control.mean())
    welch = stats.ttest_ind(treated, control, equal_var=False).confidence_interval()
    assert high - low == pytest.approx(welch.high - welch.low, rel=0.11)
    scipys = stats.bootstrap(
        (treated, control), lambda x, y, axis: x.mean(axis) - y.mean(axis), n_resamples=4999, rng=rng,
        method="percentile",
    ).confidence_interval  # fmt: skip
    plain = (high - low) / stretch(n, n_cells=1)
    assert plain == pytest.approx(scipys.high - scipys.low, rel=0.11)


def test_the_p_value_is_near_welchs():
    rng = np.random.default_rng(4)
    control, treated = rng.normal(0, 1, 40), rng.normal(0.45, 1, 40)
    sides = [arms_of({"x": control}, {"x": treated}, prefix=prefix) for prefix in "rs"]
    [shift] = measured(*sides, n_replicates=4999)
    assert shift.shifts[0].p_value == pytest.approx(
        stats.ttest_ind(treated, control, equal_var=False).pvalue, abs=0.02
    )


def test_intervals_are_stretched_as_by_hand():
    # 15 units in 3 cells: t of 12 degrees of freedom is 2.1788, the normal quantile 1.9600.
    assert stretch(15, n_cells=3) == pytest.approx(2.1788 / 1.9600 * np.sqrt(15 / 12), rel=1e-4)


def test_the_human_baseline_of_four_people_is_that_of_their_three_splits():
    real = arms_of({"x": [0, 0, 0, 4]}, {"x": [1, 2]}, prefix="r")
    side = ArmSide.of(real, ARMS, 9, np.random.default_rng(1))
    split = halves(side, np.random.default_rng(1))
    baseline = human_baseline(side, side.column("x"), np.ones(1), split)
    # Whichever half has the 4, its mean is 2 and the other's 0.
    assert [baseline.mean, baseline.q95] == pytest.approx([2, 2])


def test_the_direction_counts_signs_and_a_half_for_none():
    shifts = {"a": (1, 2), "b": (1, -1), "c": (-1, -1), "d": (1, 0)}
    sides = [
        arms_of({k: np.zeros(9) for k in shifts}, {k: np.full(9, v[i]) for k, v in shifts.items()}, prefix=p)
        for i, p in enumerate("rs")
    ]
    # The same way: a and c; b not; d is none: (1 + 0 + 1 + .5) / 4.
    assert directional_agreement(measured(*sides)).estimate == pytest.approx(2.5 / 4)


def test_the_joint_statistic_is_the_largest_difference_in_its_bootstrapped_errors():
    rng = np.random.default_rng(2)
    sides = [
        arms_of({k: rng.normal(size=30) for k in "abc"}, {k: rng.normal(size=30) for k in "abc"}, prefix=p)
        for p in "rs"
    ]
    shifts = measured(*sides)
    joint = joint_test(shifts)
    by_hand = {
        s.metric.name: (s.shifts[1].estimate - s.shifts[0].estimate)
        / np.std(s.shifts[1].deviations - s.shifts[0].deviations)
        for s in shifts
    }
    assert joint.t_values == pytest.approx(by_hand)
    assert joint.statistic == pytest.approx(max(map(abs, by_hand.values())))


def test_the_cost_of_not_seeing_is_the_root_of_the_excess_of_squares():
    rng = np.random.default_rng(3)
    moves = (1.0, 0.4, 0.7)
    sides = [
        arms_of({"x": rng.normal(size=4000)}, {"x": rng.normal(size=4000) + move}, prefix=prefix)
        for move, prefix in zip(moves, "rsb", strict=True)
    ]
    cost = cost_of_not_seeing(measured(*sides))
    assert cost.estimate == pytest.approx(np.sqrt(0.6**2 - 0.3**2), abs=0.06)
    assert list(cost.distances) == pytest.approx([0.6, 0.3], abs=0.06)


def test_the_correction_is_over_the_human_shifts_of_judged_metrics():
    rng = np.random.default_rng(6)
    names = [f"x{i}" for i in range(4)]
    sides = [
        arms_of(
            {k: rng.normal(size=40) for k in names},
            {k: rng.normal(0.2 * i, 1, 40) for i, k in enumerate(names)},
            prefix=prefix, controls=("x0",),
        )
        for prefix in "rs"
    ]  # fmt: skip
    findings = {
        f.metric: f for f in Counterfactual(control=CONTROL, treatment=TREATMENT).validate(*sides, seed=1)
    }
    # Step down, by hand: the largest shift against the largest of all resamples, and so on without it.
    drawn = ArmSide.of(sides[0], ARMS, 1999, generator(1, "counterfactual", "bootstrap", "real"))
    shifts = [MetricShift.of([drawn], metric, ARMS, seed=1).shifts[0] for metric in sides[0].metrics.values()]
    spread = {k: np.abs([s.estimate, *s.deviations]) for k, s in zip(sides[0].metrics, shifts, strict=True)}
    z = {k: stats.zscore(spread[k]) for k in names[1:]}
    left, at_least = sorted(z, key=lambda name: -z[name][0]), 0.0
    for _ in names[1:]:
        largest = np.max([z[name][1:] for name in left], axis=0)
        at_least = max(at_least, (np.sum(largest >= z[left[0]][0]) + 1) / 2000)
        assert findings[left.pop(0)].p_adjusted == pytest.approx(at_least)
    assert findings["x0"].p_adjusted is None
