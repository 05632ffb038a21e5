"""ROC AUC and recalibration beside scikit-learn, for the logs and for units drawn anew."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from convsim.stats import calibration_curve
from convsim.stats.calibration_curve import recalibrate, roc_auc
from convsim.stats.resampling import draw_units


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    told = np.round(rng.beta(2, 5, 300), 2).clip(0.01, 0.99)
    odds = 0.4 + 0.7 * np.log(told / (1 - told))
    happened = rng.random(300) < 1 / (1 + np.exp(-odds))
    units = np.repeat(np.arange(100), 3)
    return told, happened, units, draw_units(100, 7, rng)


def test_the_auc_of_each_resample_is_scikit_learns_with_ties_and_weights(drawn, monkeypatch):
    told, happened, units, weights = drawn
    expected = [
        roc_auc_score(happened, told, sample_weight=weight[units]) for weight in (np.ones(100), *weights.T)
    ]
    np.testing.assert_allclose(roc_auc(told, happened, units, weights), expected, atol=1e-12)
    monkeypatch.setattr(calibration_curve, "MAX_NUMBERS", 700)
    np.testing.assert_allclose(roc_auc(told, happened, units, weights), expected, atol=1e-12)


def test_the_line_of_each_resample_is_that_of_an_unpenalised_logistic_regression(drawn):
    told, happened, units, weights = drawn
    found = recalibrate(told, happened, units, weights)
    x = np.log(told / (1 - told))[:, None]
    for place, weight in enumerate((np.ones(100), *weights.T)):
        line = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000).fit(
            x, happened, sample_weight=weight[units]
        )
        assert found.slope[place] == pytest.approx(line.coef_[0, 0], abs=1e-4)
        assert found.intercept[place] == pytest.approx(line.intercept_[0], abs=1e-4)


def test_without_an_event_or_with_perfect_forecasts_there_is_no_number(drawn):
    told, happened, units, weights = drawn
    nothing = np.zeros(300, bool)
    assert np.isnan(roc_auc(told, nothing, units, weights)).all()
    assert np.isnan(recalibrate(told, nothing, units, weights).slope).all()
    perfect = recalibrate(np.where(happened, 0.9, 0.1), happened, units, weights)
    assert np.isnan(perfect.slope).all()
    assert np.isnan(recalibrate(np.full(300, 0.3), happened, units, weights).slope).all()
