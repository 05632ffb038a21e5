"""Verdicts from scores: alike needs both, different one of two, and what more people would do."""

import numpy as np
import pytest

from convsim.evaluation.probing.judging import judge_forecasts, judge_skill, too_few
from convsim.stats.forecasts import CalibrationError, UnitMean

CALIBRATED = CalibrationError(0.02, np.linspace(0.02, 0.06, 99))
OFF = CalibrationError(0.3, np.linspace(0.25, 0.35, 99))
UNSURE = CalibrationError(0.06, np.linspace(0.05, 0.16, 99))


def judged(excess, error, n=40, spread=0.02):
    return judge_forecasts(UnitMean(excess, spread, n), error, margin=0.1, against="the base rate")


@pytest.mark.parametrize(
    ("excess", "error", "verdict"),
    [
        (-0.1, CALIBRATED, "aligned"),
        (0.1, CALIBRATED, "different"),
        (-0.1, OFF, "different"),
        (-0.1, UNSURE, "undecided"),
        (0.0, CALIBRATED, "undecided"),
        (0.01, UNSURE, "undecided"),
    ],
)
def test_alike_is_better_and_calibrated_and_different_is_worse_or_miscalibrated(excess, error, verdict):
    assert judged(excess, error).verdict == verdict


def test_of_two_ways_to_be_different_the_smaller_p_counts_twice():
    found = judged(0.1, CALIBRATED)
    assert found.p_different == pytest.approx(2 * UnitMean(0.1, 0.02, 40).p_above())
    assert judged(-0.1, OFF).p_different == pytest.approx(2 / 100)


def test_it_says_how_many_more_people_would_decide_whichever_way():
    # 1.35 standard errors below 0; a one-sided test at 5 % and 80 % power needs about 2.49.
    near = judged(-0.027, CALIBRATED)
    assert near.verdict == "undecided"
    assert 70 <= near.more_units <= 110
    assert f"about {near.more_units} more people would decide" in near.reason
    worse = judged(0.025, UNSURE)
    assert worse.more_units is not None
    hopeless = judged(0.0001, CALIBRATED)
    assert hopeless.more_units is None
    assert "no number of people that one could have is likely to decide" in hopeless.reason


@pytest.mark.parametrize(("gain", "verdict"), [(0.1, "aligned"), (-0.1, "different"), (0.02, "undecided")])
def test_skill_is_better_or_worse_than_a_baseline(gain, verdict):
    found = judge_skill(UnitMean(gain, 0.02, 40), against="chance")
    assert found.verdict == verdict
    assert "chance" in found.reason


def test_eight_people_are_enough():
    assert too_few(8, "x") is None
    few = too_few(3, "an answer")
    assert (few.verdict, few.more_units) == ("undecided", 5)
