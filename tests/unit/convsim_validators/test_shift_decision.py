import pytest
from scipy.stats import norm

from convsim_validators.counterfactual.shift_decision import (
    ShiftEvidence,
    decide_shift,
    growth_to_show_alike,
    reaction,
)


def evidence(human, simulated, half, **changes):
    """Half-widths: of both shifts, then of the difference."""
    given = {
        "human": human, "human_half": half[0], "simulated": simulated, "simulated_half": half[0],
        "difference_half": half[1], "p_value": 0.001, "margin": 0.2,
        "difference_p": 0.001,
    }  # fmt: skip
    return ShiftEvidence(**{**given, **changes})


@pytest.mark.parametrize(
    ("human", "simulated", "half", "verdict"),
    [
        (1.0, 1.2, (0.2, 0.29), "reacts_as_people"),
        (1.0, 1.2, (0.2, 0.31), "undecided"),
        (1.0, 1.7, (0.2, 0.3), "over_reacts"),
        (1.0, 0.3, (0.2, 0.3), "under_reacts"),
        (1.0, 0.3, (0.31, 0.4), "does_not_react"),
        (1.0, -0.3, (0.2, 0.3), "reacts_wrong_way"),
        (-1.0, 0.3, (0.2, 0.3), "reacts_wrong_way"),
        (1.0, -0.1, (0.2, 0.3), "does_not_react"),
        (1.0, 0.0, (1.5, 2.0), "undecided"),
    ],
)
def test_the_rule_where_people_shift(human, simulated, half, verdict):
    assert reaction(evidence(human, simulated, half)) == verdict


def test_a_larger_shift_the_other_way_that_may_be_none_is_no_reaction_and_not_too_strong_a_one():
    assert reaction(evidence(0.5, -0.8, (0.9, 1.0))) == "does_not_react"


@pytest.mark.parametrize(
    ("simulated", "half", "verdict"),
    [
        (0.05, (0.1, 0.14), "reacts_as_people"),
        (0.05, (0.1, 0.16), "undecided"),
        (0.5, (0.3, 0.4), "over_reacts"),
        (-0.5, (0.3, 0.4), "over_reacts"),
        (0.5, (0.6, 0.4), "undecided"),
        (0.5, (0.3, 0.6), "undecided"),
    ],
)
def test_the_rule_where_no_shift_of_people_is_established(simulated, half, verdict):
    assert reaction(evidence(0.0, simulated, half, p_value=0.5)) == verdict


def test_a_shift_against_one_of_people_that_is_not_established_is_undecided_and_not_too_strong_a_one():
    decision = decide_shift(evidence(-0.15, 0.5, (0.3, 0.4), p_value=0.3))
    assert decision.verdict == "undecided"
    assert "which way people shift is not known" in decision.reason
    assert reaction(evidence(0.15, 0.5, (0.3, 0.3), p_value=0.3)) == "over_reacts"


def test_people_who_surely_hardly_shift_have_no_direction_that_could_be_opposed():
    assert reaction(evidence(-0.01, 0.5, (0.1, 0.15), p_value=0.8)) == "over_reacts"


@pytest.mark.parametrize("human", [-2.0, -0.5, -0.21])
@pytest.mark.parametrize("simulated", [0.05, 0.4, 3.0])
@pytest.mark.parametrize("half", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("p_value", [0.001, 0.5])
def test_no_shift_the_other_way_is_called_too_strong(human, simulated, half, p_value):
    found = reaction(evidence(human, simulated, (half, half), p_value=p_value))
    assert found != "over_reacts"


@pytest.mark.parametrize(
    ("human", "human_half", "p_value", "margin"),
    [
        (1.0, 0.8, 0.001, 0.4),  # half of .8
        (0.0, 1.0, 1.0, 0.2),
    ],
)
def test_growth_is_what_shows_equal_shifts_alike_in_four_of_five_samples(human, human_half, p_value, margin):
    undecided = evidence(human, human, (human_half, 1.0), p_value=p_value)
    growth = growth_to_show_alike(undecided)
    error = 1 / norm.ppf(0.975) / growth**0.5
    inside = (margin - norm.ppf(0.975) * error) / error
    assert norm.cdf(inside) - norm.cdf(-inside) == pytest.approx(0.8, abs=0.001)
    assert decide_shift(undecided).growth == growth


def test_no_growth_depends_on_how_far_apart_the_shifts_seem_to_be():
    assert growth_to_show_alike(evidence(0.0, 0.9, (1.0, 1.0), p_value=1.0)) == growth_to_show_alike(
        evidence(0.0, 0.0, (1.0, 1.0), p_value=1.0)
    )


def test_a_decided_shift_needs_no_growth():
    assert decide_shift(evidence(1.0, 0.0, (0.2, 0.3))).growth is None
