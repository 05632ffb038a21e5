"""Scores of forecasts: by hand, against scikit-learn, and free of the noise of few draws."""

import math

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from convsim.stats.forecasts import Drawn, Forecasts, UnitMean, base_rates, limits


def test_of_stated_probabilities_the_brier_score_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    p = rng.random(200)
    moves = (rng.random(200) < p).astype(np.int64)
    scores = Forecasts.stated(np.column_stack([1 - p, p])).brier(moves)
    assert scores.mean() == pytest.approx(brier_score_loss(moves, p))


def test_the_score_of_draws_is_that_of_the_probabilities_behind_them_on_average():
    rng = np.random.default_rng(2)
    p = np.asarray([0.2, 0.5, 0.3])
    moves = rng.choice(3, size=20_000, p=[0.6, 0.3, 0.1])
    drawn = [rng.choice(3, size=2, p=p) for _ in moves]
    exact = Forecasts.stated(np.tile(p, (len(moves), 1))).brier(moves)
    fair = Forecasts.of(drawn, 3).brier(moves)
    assert fair.mean() == pytest.approx(exact.mean(), abs=0.01)
    # What two draws are off by chance alone would be taken for a fault otherwise: half of the spread of the draws.
    naive = ((Forecasts.of(drawn, 3).shares - np.eye(3)[moves]) ** 2).sum(1) / 2
    assert naive.mean() > exact.mean() + 0.1


def test_one_draw_has_an_accuracy_and_no_score():
    forecasts = Forecasts.of([np.asarray([0]), np.asarray([1, 0])], 2)
    moves = np.asarray([0, 0])
    assert forecasts.accuracy(moves).tolist() == [1.0, 0.5]
    assert math.isnan(forecasts.brier(moves)[0])
    # Off by (.5, .5), squared and summed .5, less a spread of .5 / (2 - 1), and half of that.
    assert forecasts.brier(moves)[1] == 0.0


def test_whoever_always_goes_on_has_the_score_of_the_base_rate():
    moves = np.asarray([0, 0, 0, 1])
    always = Forecasts.of([np.zeros(5, np.int64)] * 4, 2)
    assert always.brier(moves).mean() == 0.25


def test_base_rates_are_those_of_others_at_the_same_turn():
    turns = np.asarray([1, 1, 1, 2])
    moves = np.asarray([0, 1, 1, 0])
    units = np.asarray([0, 1, 2, 2])
    found = base_rates(turns, moves, units, 2)
    # For unit 0 others moved 1, 1 at turn 1 and 0 at turn 2: overall (1 + 1, 2 + 1) of 3 + 2.
    overall = np.asarray([2, 3]) / 5
    assert found.shares[0] == pytest.approx((np.asarray([0, 2]) + 2 * overall) / 4)
    assert found.n_draws.tolist() == [4, 4, 4, 2]
    assert found.shares.sum(1) == pytest.approx(1)


def test_nobody_gains_by_knowing_no_more_than_base_rates():
    rng = np.random.default_rng(3)
    gains = []
    for _ in range(60):
        turns = rng.integers(1, 5, 200)
        p = 0.1 * turns
        moves = (rng.random(200) < p).astype(np.int64)
        base = base_rates(turns, moves, np.arange(200), 2).brier(moves)
        true = Forecasts.stated(np.column_stack([1 - p, p])).brier(moves)
        gains.append((base - true).mean())
    assert abs(np.mean(gains)) < 3 * np.std(gains) / math.sqrt(60) + 5e-4


def test_a_mean_over_units_of_one_value_each_is_students():
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(4).standard_normal(30) + 0.3
    mean = UnitMean.of(values, np.arange(30))
    expected = ttest_1samp(values, 0, alternative="greater")
    assert mean.p_above() == pytest.approx(expected.pvalue)
    assert mean.p_below() == pytest.approx(1 - expected.pvalue)
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean.half_width(0.95) == pytest.approx((high - low) / 2)


def test_values_of_one_unit_count_as_one():
    values = np.repeat([0.0, 1.0, 0.5, 0.2, 0.9, 0.4, 0.1, 0.8], 10)
    units = np.repeat(np.arange(8), 10)
    together, apart = UnitMean.of(values, units), UnitMean.of(values[::10], np.arange(8))
    assert together.estimate == pytest.approx(apart.estimate)
    assert together.error == pytest.approx(apart.error)


def test_without_spread_nothing_is_shown_unless_it_is_beyond():
    same = UnitMean.of(np.full(8, 0.5), np.arange(8))
    assert (same.p_above(0.5), same.p_above(0.4), same.p_below(0.6)) == (1.0, 0.0, 0.0)


def test_calibration_is_the_distance_over_bins_by_hand():
    p = np.repeat([0.1, 0.6], 20)
    moves = np.repeat([1, 0, 1, 0], [4, 16, 10, 10])
    forecasts = Forecasts.stated(np.column_stack([1 - p, p]))
    drawn = Drawn.of(np.arange(40), np.random.default_rng(5))
    error = drawn.calibration_error(forecasts, moves)
    # Twenty forecasts of .1, of which .2 come true, and twenty of .6, of which .5 do.
    assert error.estimate == pytest.approx(0.1)
    low, high = error.interval()
    assert low <= error.estimate <= high
    assert error.p_beyond(0.9) > 0.99


def test_few_moves_are_one_bin_and_not_miscalibrated_by_chance():
    p = np.linspace(0.05, 0.35, 30)
    forecasts = Forecasts.stated(np.column_stack([1 - p, p]))
    bins, told, rows = forecasts.binned(1)
    assert set(bins.tolist()) == {0}
    assert told.mean() == pytest.approx(0.2)
    assert np.bincount(rows).tolist() == [2] * 30


def test_noise_of_draws_is_not_taken_for_overconfidence():
    rng = np.random.default_rng(6)
    moves = (rng.random(6_000) < 0.3).astype(np.int64)
    draws = [(rng.random(4) < 0.3).astype(np.int64) for _ in moves]
    drawn = Drawn.of(np.arange(len(moves)), rng, 19)
    assert drawn.calibration_error(Forecasts.of(draws, 2), moves).estimate < 0.03


def test_of_single_draws_there_is_no_calibration():
    moves = np.asarray([0, 1])
    forecasts = Forecasts.of([np.asarray([0]), np.asarray([0])], 2)
    assert Drawn.of(np.arange(2), np.random.default_rng(7)).calibration_error(forecasts, moves) is None


def test_a_mean_that_most_resamples_lack_has_no_interval():
    drawn = Drawn.of(np.arange(40), np.random.default_rng(8))
    where = np.zeros(40, bool)
    where[0] = True
    found = drawn.mean(np.ones(40), where)
    assert found[0] == 1.0
    assert limits(found) is None
    balanced = drawn.balanced(np.ones(40), np.asarray([0, *[1] * 39]), np.ones(40, bool))
    assert balanced[0] == 1.0
