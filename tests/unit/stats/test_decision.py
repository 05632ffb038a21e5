"""The rule from numbers to a verdict at its edges, and how much more data would decide, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from convsim.stats.decision import BoundedMean, Evidence, decide, grown
from convsim.stats.sample_size import growth_to_align

FAR = Evidence(distance=0.3, upper=0.4, margin=0.1, p_adjusted=0.05)
"""Beyond the margin, and just beyond chance."""


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, "different"),
        ({"p_adjusted": 0.051}, "undecided"),
        ({"p_adjusted": None}, "undecided"),
        ({"margin": 0.4}, "aligned"),
        ({"margin": 0.399}, "different"),
        ({"margin": 0.4, "p_adjusted": 0.9}, "aligned"),
        ({"margin": 0.4, "p_adjusted": None}, "aligned"),
    ],
)
def test_within_the_margin_is_aligned_and_beyond_it_what_is_no_chance_is_different(changed, verdict):
    assert decide(replace(FAR, **changed)).verdict == verdict


def test_no_reason_states_a_p_value_that_a_card_may_correct_later():
    for changed in ({}, {"margin": 0.5}, {"p_adjusted": 0.06}):
        assert "p =" not in decide(replace(FAR, **changed)).reason


def test_only_what_is_undecided_says_how_much_more_would_decide():
    far = replace(FAR, growth=3.0)
    assert decide(far).growth is None
    assert decide(replace(far, margin=0.5)).growth is None
    undecided = decide(replace(far, p_adjusted=0.06))
    assert undecided.growth == 3.0
    assert undecided.reason.startswith("too little data: distance 0.300, at most 0.400")


def test_where_this_much_data_should_have_shown_that_nothing_differs_no_larger_number_is_told():
    undecided = decide(replace(FAR, p_adjusted=0.06, growth=1.0))
    assert undecided.growth is None
    assert undecided.reason.startswith("not decided")
    assert "this much data would show it in four of five cases" in undecided.reason


def test_a_difference_of_nothing_lies_inside_the_margin_in_four_of_five_cases_at_the_growth_that_is_told():
    growth = growth_to_align(half_width=0.2, margin=0.1)
    error = 0.2 / 1.645 / growth**0.5
    # Two one-sided tests at 5 % of a mean that is 0: inside if the estimate lies within margin - 1.645 errors of 0.
    assert 2 * norm.cdf(0.1 / error - 1.645) - 1 == pytest.approx(0.80, abs=1e-3)
    assert growth_to_align(half_width=0.2, margin=0.0) == 1e6


@pytest.mark.parametrize(
    ("n", "growth", "needed"),
    [
        (7, 8 / 7, 8),
        (5, 1.0, 6),
        (99, 1.0, 100),
        (300, 1.5, 450),
        (333, 1.5, 500),
        (1000, 1.234, 1300),
        (0, 4.0, 1),
    ],
)
def test_a_size_is_at_least_one_more_and_rounded_up_to_two_figures(n, growth, needed):
    assert grown(n, growth) == needed


def test_the_draws_that_reach_a_threshold_are_counted_with_what_was_observed():
    mean = BoundedMean(upwards=np.array([0.1, 0.2, 0.3]), downwards=np.array([-0.3, -0.2, -0.1]))
    # (draws at least, or at most, the threshold + 1) / (draws + 1)
    assert [mean.p_below(threshold) for threshold in (0.2, 0.4, 0)] == [0.75, 0.25, 1]
    assert [mean.p_above(threshold) for threshold in (-0.2, -0.4, 0)] == [0.75, 0.25, 1]
    assert mean.interval(0.5) == pytest.approx((-0.25, 0.25))
