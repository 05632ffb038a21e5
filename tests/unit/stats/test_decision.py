"""The rule from numbers to a verdict at its edges, and how much more data would decide, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from convsim.stats.decision import MAX_GROWTH, BoundedMean, Evidence, decide, grown

FAR = Evidence(distance=0.3, upper=0.4, margin=0.1, p_adjusted=0.05, baseline_mean=0.1, baseline_q95=0.2)
"""Beyond the margin, beyond what people show, and just beyond chance."""


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, "different"),
        ({"p_adjusted": 0.051}, "undecided"),
        ({"baseline_q95": 0.3}, "undecided"),
        ({"baseline_q95": 0.31, "p_adjusted": 0.001}, "undecided"),
        ({"baseline_q95": 0.1, "p_adjusted": 0.9}, "undecided"),
        ({"margin": 0.4}, "aligned"),
        ({"margin": 0.399}, "different"),
        ({"margin": 0.4, "p_adjusted": 0.9}, "aligned"),
    ],
)
def test_different_needs_both_chance_and_the_baseline_and_within_the_margin_is_aligned(changed, verdict):
    assert decide(replace(FAR, **changed)).verdict == verdict


def test_a_difference_that_is_small_but_detectable_is_aligned_and_said_to_be_detectable():
    assert "detectable (adjusted p = 0.05) but small" in decide(replace(FAR, margin=0.5)).reason
    assert "detectable" not in decide(replace(FAR, margin=0.5, p_adjusted=0.06)).reason


def test_only_what_is_undecided_says_how_much_more_would_decide():
    assert decide(FAR).growth is None
    assert decide(replace(FAR, margin=0.5)).growth is None
    assert decide(replace(FAR, p_adjusted=0.06)).growth is not None


@pytest.mark.parametrize(
    ("numbers", "growth"),
    [
        # As far as people are: distance and half-width shrink together, (.1 + .1) / 2 is the margin at 4 times as many.
        ((0.1, 0.2, 0.1, 0.1, 0.2, 0.0), 4.0),
        # The same for an AUC, whose nothing is a half.
        ((0.6, 0.7, 0.6, 0.6, 0.7, 0.5), 4.0),
        # Nothing at all, on either side: the half-width of .2 is the margin at 4 times the size.
        ((0.0, 0.2, 0.1, 0.0, 0.0, 0.0), 4.0),
        # Beyond the margin for good: .3 is one and a half times the baseline, .4 / 2, at 4 times the size.
        ((0.3, 0.9, 0.05, 0.0, 0.4, 0.0), 4.0),
        # Of .5 people themselves make .3, so .4 is left; with the rest of theirs it passes 1.5 * .52 / root(growth)
        # where .16 * growth + .09 = .6084.
        ((0.5, 0.9, 0.05, 0.3, 0.52, 0.0), 3.24),
        ((0.1, 0.2, 0.0, 0.1, 0.2, 0.0), MAX_GROWTH),
    ],
)  # fmt: skip
def test_the_growth_that_would_decide(numbers, growth):
    distance, upper, margin, *baseline, zero = numbers
    found = decide(Evidence(distance, upper, margin, 0.9, *baseline, zero))
    assert found.verdict == "undecided"
    # Sizes are tried in steps of .35 %.
    assert found.growth == pytest.approx(growth, rel=0.004)


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
