"""Where something changes along time, and what is said where nothing can."""

import numpy as np
import pytest

from convsim.stats.change_point import change_point, orders_of_time


def orders(time_of, n=99, seed=0):
    return orders_of_time(np.asarray(time_of), n, np.random.default_rng(seed))


def test_a_step_is_found_where_it_is():
    values = np.repeat([0.0, 1.0], [30, 20])
    found = change_point(values, np.arange(50), orders(np.arange(50)))
    assert found.at == 30
    assert found.statistics[0] == found.statistics.max()


def test_the_order_of_time_and_not_of_rows_counts():
    time_of = np.random.default_rng(1).permutation(40)
    values = (time_of >= 25).astype(float)
    found = change_point(values, time_of, orders(time_of))
    assert found.at == 25


def test_units_of_one_time_have_no_order():
    values = np.asarray([0.0, 1, 0, 1, 5, 6, 5, 6])
    found = change_point(values, np.repeat([0, 1], 4), orders(np.repeat([0, 1], 4)))
    assert found.at == 4
    assert change_point(values, np.zeros(8, int), orders(np.zeros(8, int))) is None


def test_it_is_the_largest_sum_of_ranks_written_out():
    from scipy.stats import rankdata

    values = np.random.default_rng(3).normal(size=25)
    ranks = rankdata(values)
    scores = (ranks - ranks.mean()) / ranks.std()
    by_hand = np.abs(np.cumsum(scores)[:-1]).max() / 5
    assert change_point(values, np.arange(25), orders(np.arange(25))).statistics[0] == pytest.approx(by_hand)


def test_values_that_are_not_known_count_for_nothing():
    values = np.repeat([0.0, 1.0], 15)
    gaps = np.where(np.arange(30) % 3 == 0, np.nan, values)
    assert change_point(gaps, np.arange(30), orders(np.arange(30))).at in (14, 15, 16)
    assert change_point(np.full(30, np.nan), np.arange(30), orders(np.arange(30))) is None


def test_orders_without_change_are_rejected_in_one_case_of_twenty():
    rng = np.random.default_rng(5)
    n_runs, rejected = 300, 0
    for seed in range(n_runs):
        values = np.round(rng.exponential(size=30))
        found = change_point(values, np.arange(30) // 3, orders(np.arange(30) // 3, n=99, seed=seed))
        rejected += (found.statistics >= found.statistics[0] - 1e-9).sum() <= 5
    assert rejected <= 27
