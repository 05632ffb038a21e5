"""What no data may change in a shift: the order of conversations, which arm is called the control, copies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convsim_validators.counterfactual.counterfactual import Counterfactual
from tests.corpora import corpus
from tests.two_arms import CONTROL, TREATMENT, shifted

number = st.floats(-1e6, 1e6) | st.just(float("nan"))
row = st.tuples(
    number,
    st.sampled_from([CONTROL, TREATMENT, "mid", None]),
    st.sampled_from(["a", "b", None]),
    st.sampled_from(["u", "v", None]),
)


def of_rows(rows, prefix):
    x, arms, tasks, users = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    return corpus({"x": x}, arms=arms or None, tasks=tasks or None, users=users or None, prefix=prefix)


def judged(real, simulated, *, seed=1, control=CONTROL, treatment=TREATMENT, n_resamples=99):
    validator = Counterfactual(control=control, treatment=treatment, n_resamples=n_resamples)
    return {finding.metric: finding for finding in validator.validate(real, simulated, seed=seed)}


def sides(n=40, **given):
    shifts = ({"x": 1.0, "y": 0.0, "z": -0.5, "w": 0.3}, {"x": 0.2, "y": 0.8, "z": 0.5, "w": 0.3})
    return [shifted(s, n=n, prefix=prefix, **given) for s, prefix in zip(shifts, "rs", strict=True)]


@settings(max_examples=40, deadline=None)
@given(st.lists(row, max_size=60), st.lists(row, max_size=60))
def test_every_input_gives_findings_with_numbers_or_null(real, simulated):
    findings = judged(of_rows(real, "r"), of_rows(simulated, "s"))
    for finding in findings.values():
        assert "NaN" not in finding.model_dump_json()
        assert "Infinity" not in finding.model_dump_json()
    interval = findings["x"].interval
    assert interval is None or interval[0] <= findings["x"].estimate <= interval[1]


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_conversations_changes_nothing(random):
    real, simulated = sides(tasks=["a", "b"] * 40)
    order = list(range(len(real)))
    random.shuffle(order)
    one, other = judged(real, simulated), judged(real.take(order), simulated)
    for name in ("x", "y", "z", "w", "joint", "directional_agreement"):
        assert other[name].estimate == pytest.approx(one[name].estimate, abs=1e-9)
        assert other[name].verdict == one[name].verdict
        assert other[name].p_value == pytest.approx(one[name].p_value, abs=0.011)
        if one[name].interval:
            assert other[name].interval == pytest.approx(one[name].interval, abs=1e-9)


def test_swapping_control_and_treatment_mirrors_every_sign_and_keeps_the_verdicts():
    one = judged(*sides())
    other = judged(*sides(), control=TREATMENT, treatment=CONTROL)
    for name in ("x", "y", "z", "w"):
        assert other[name].estimate == pytest.approx(-one[name].estimate)
        assert other[name].interval == pytest.approx(tuple(-end for end in reversed(one[name].interval)))
        for shift in ("human_shift", "simulated_shift"):
            assert other[name].details[shift]["estimate"] == pytest.approx(
                -one[name].details[shift]["estimate"]
            )
            assert other[name].details[shift]["p_value"] == one[name].details[shift]["p_value"]
        assert other[name].p_adjusted == one[name].p_adjusted
        assert other[name].verdict == one[name].verdict
    assert other["joint"].p_value == one["joint"].p_value
    assert other["directional_agreement"].estimate == one["directional_agreement"].estimate


def test_copies_of_the_same_users_conversations_add_no_evidence():
    users = [f"u{i}" for i in range(80)]
    once = sides(users=users)
    copied = [
        corpus(
            {name: np.tile(side.table[name], 4) for name in side.table},
            users=users * 4,
            arms=[c.arm for c in side.conversations] * 4,
            prefix=prefix,
        )
        for side, prefix in zip(once, "rs", strict=True)
    ]
    one, other = judged(*once), judged(*copied)
    for name in ("x", "y", "z", "w"):
        assert other[name].estimate == pytest.approx(one[name].estimate)
        assert other[name].interval == pytest.approx(one[name].interval)
        assert other[name].p_value == one[name].p_value
        assert other[name].verdict == one[name].verdict
    assert other["joint"].p_value == one["joint"].p_value


def test_one_more_metric_moves_no_other_metrics_draws():
    both = sides()
    alone = [
        corpus({"x": s.table["x"]}, arms=[c.arm for c in s.conversations], prefix=p)
        for s, p in zip(both, "rs", strict=True)
    ]
    one, other = judged(*both)["x"], judged(*alone)["x"]
    assert (one.interval, one.p_value, one.noise_floor) == (other.interval, other.p_value, other.noise_floor)


def test_the_same_seed_gives_the_same_findings_and_another_seed_moves_them():
    assert judged(*sides(), seed=4) == judged(*sides(), seed=4)
    assert judged(*sides(), seed=4)["x"].interval != judged(*sides(), seed=5)["x"].interval


def test_a_change_of_unit_changes_the_unit_alone():
    one = judged(*sides())
    scaled = [
        corpus(
            {name: 1000 * side.table[name] + 5 for name in side.table},
            arms=[c.arm for c in side.conversations],
            prefix=prefix,
        )
        for side, prefix in zip(sides(), "rs", strict=True)
    ]
    other = judged(*scaled)
    for name in ("x", "y", "z", "w"):
        assert other[name].estimate == pytest.approx(1000 * one[name].estimate)
        assert other[name].verdict == one[name].verdict
