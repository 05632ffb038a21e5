"""Rank correlations of both sides, their influence and their kernels against SciPy and by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from convsim.stats.dependence import (
    RankCorrelations,
    scores_within,
)
from convsim.stats.rank_correlation import Ranked, rank_correlation


def table(seed: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = np.floor(3 * (rng.normal(size=(n, 1)) + rng.normal(size=(n, 3))))
    values[rng.random(n) < 0.2, 2] = np.nan
    return values


def test_the_difference_of_mean_contributions_is_the_difference_of_spearmans_correlations():
    values, is_real = table(0, 90), np.arange(90) < 50
    found = RankCorrelations.of(scores_within(values, is_real), is_real, np.arange(90))
    assert {pair.columns for pair in found.told} == {(0, 1), (0, 2), (1, 2)}
    for pair in found.told:
        for side, ours in ((is_real, pair.real), (~is_real, pair.simulated)):
            expected = spearmanr(values[side][:, list(pair.columns)], nan_policy="omit").statistic
            assert ours == pytest.approx(expected, abs=1e-12)


def test_influence_is_the_derivative_by_a_rows_weight():
    x, y = table(1, 40)[:, :2].T
    r, influence = rank_correlation(Ranked.of(x), Ranked.of(y))
    assert r == pytest.approx(spearmanr(x, y).statistic)
    assert influence.mean() == pytest.approx(0, abs=1e-12)
    # 400 copies of everybody, and 401 of row 7: 40 * 400 * (change) is about the influence.
    more = np.concatenate([np.repeat(np.arange(40), 400), [7]])
    changed = spearmanr(x[more], y[more]).statistic - r
    assert 40 * 400 * changed == pytest.approx(influence[7], abs=1e-3)


def test_the_standard_error_is_that_of_resampled_units():
    rng = np.random.default_rng(2)
    values = table(2, 240)
    values[:, 2] = rng.normal(size=240)
    is_real = np.arange(240) < 120
    unit_of = np.arange(240) // 2
    found = RankCorrelations.of(scores_within(values, is_real), is_real, unit_of)
    place = found.pairs.index((0, 1))
    drawn = []
    for _ in range(600):
        ends = []
        for first in (0, 60):
            units = first + rng.integers(0, 60, 60)
            rows = np.concatenate([2 * units, 2 * units + 1])
            ends.append(spearmanr(values[rows, 0], values[rows, 1]).statistic)
        drawn.append(ends[1] - ends[0])
    assert np.sqrt(found.covariance[place, place]) == pytest.approx(np.std(drawn), rel=0.15)
