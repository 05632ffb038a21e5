"""The parts of ``humanlikeness`` against scikit-learn and hand calculations."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from convsim.stats.discriminator import (
    CrossFitted,
    Rows,
    calibrate,
    cross_fit,
    deal_folds,
    equal_prior,
    out_of_fold_aucs,
)
from convsim.stats.scores import calibrated_hls, score
from convsim.stats.view import logistic_regression


def fitted(n_human: int, n_simulated: int, *, n_folds: int, seed: int = 4) -> CrossFitted:
    rng = np.random.default_rng(seed)
    n = n_human + n_simulated
    is_human = np.arange(n) < n_human
    probability = np.clip(0.5 + 0.1 * is_human + rng.normal(0, 0.15, n), 0.01, 0.99)
    return CrossFitted(probability, probability, is_human, rng.integers(0, n_folds, n), np.arange(n))


def test_auc_of_one_fold_is_scikit_learns():
    result = fitted(40, 60, n_folds=1)
    ours = score([result], n_resamples=9, seed=1).auc
    assert ours == pytest.approx(roc_auc_score(result.is_human, result.probability))


def test_auc_of_several_folds_weighs_scikit_learns_by_pairs():
    result = fitted(80, 120, n_folds=4)
    parts = [result.fold == fold for fold in range(4)]
    aucs = [roc_auc_score(result.is_human[part], result.probability[part]) for part in parts]
    pairs = [result.is_human[part].sum() * (~result.is_human[part]).sum() for part in parts]
    assert score([result], n_resamples=9, seed=1).auc == pytest.approx(np.average(aucs, weights=pairs))


def test_accuracy_is_scikit_learns_balanced_accuracy():
    result = fitted(30, 90, n_folds=3)
    expected = balanced_accuracy_score(result.is_human, result.probability > 0.5)
    assert score([result], n_resamples=9, seed=1).accuracy == pytest.approx(expected)


def test_a_probability_of_one_half_is_half_right():
    n = 20
    undecided = CrossFitted(np.zeros(n), np.full(n, 0.5), np.arange(n) < 5, np.zeros(n, int), np.arange(n))
    result = score([undecided], n_resamples=9, seed=1)
    assert (result.hls, result.accuracy, result.auc) == (0.5, 0.5, 0.5)


def test_hls_is_the_mean_probability_of_the_simulated_rows():
    result = fitted(25, 50, n_folds=2)
    assert score([result], n_resamples=9, seed=1).hls == pytest.approx(result.probability[25:].mean())


def test_scores_are_means_over_repeats():
    one, other = fitted(40, 60, n_folds=3, seed=5), fitted(40, 60, n_folds=3, seed=6)
    both = score([one, other], n_resamples=99, seed=1)
    assert both.auc == pytest.approx(np.mean([score([x], n_resamples=9, seed=1).auc for x in (one, other)]))


@pytest.mark.parametrize("distance", [0.0, 0.5, 1.5, 3.0])
def test_the_hls_of_a_calibrated_classifier_is_the_mean_posterior_of_two_normals(distance):
    rng = np.random.default_rng(1)
    simulated = rng.normal(0, 1, 400_000)
    posterior = norm.pdf(simulated, distance) / (norm.pdf(simulated, distance) + norm.pdf(simulated))
    auc = float(norm.cdf(distance / np.sqrt(2)))
    assert calibrated_hls(auc) == pytest.approx(posterior.mean(), abs=0.002)


def test_a_calibration_curve_is_scikit_learns_under_any_weights():
    rng = np.random.default_rng(3)
    is_human = np.arange(90) < 30
    scores = rng.normal(0.7 * is_human, 1.3)
    weights = rng.integers(0, 4, (90, 5)).astype(float)
    slopes, offsets = calibrate(scores, is_human, weights)
    spread = scores.std()
    for replicate in range(5):
        w = weights[:, replicate]
        prior = np.where(is_human, 45 / w[is_human].sum(), 45 / w[~is_human].sum()) * w
        curve = LogisticRegression(C=1.0, tol=1e-10).fit(
            scores[:, None] / spread, is_human, sample_weight=prior
        )
        expected = curve.coef_[0, 0] / spread, curve.intercept_[0]
        assert (slopes[replicate], offsets[replicate]) == pytest.approx(expected, abs=1e-4)
    fallen = calibrate(-scores, is_human, np.ones((90, 1)))
    assert (float(fallen[0][0]), float(fallen[1][0])) == (0.0, 0.0)


def test_an_auc_out_of_fold_is_one_half_of_noise_and_near_one_of_a_plain_difference():
    rng = np.random.default_rng(1)
    is_human = np.arange(120) < 60
    noise = rng.normal(size=(120, 3))
    rows = [
        Rows(x, is_human, np.arange(120), is_human.astype(int))
        for x in (noise, noise + 3 * is_human[:, None])
    ]
    aucs = out_of_fold_aucs(rows, logistic_regression, seed=2)
    assert aucs[0] == pytest.approx(0.5, abs=0.15)
    assert aucs[1] > 0.98


def test_groups_of_both_sides_and_of_any_size_leave_both_sides_in_every_fold():
    rng = np.random.default_rng(0)
    for seed in range(20):
        group = np.sort(rng.integers(0, 12, 60))
        is_human = rng.random(60) < 0.3
        rows = Rows(np.zeros((60, 1)), is_human, group, is_human.astype(int))
        fold = deal_folds(rows, 3, seed=seed)
        assert all(len(set(fold[group == g])) == 1 for g in set(group))
        assert all(is_human[fold == k].any() and not is_human[fold == k].all() for k in range(3))


def test_equal_prior_gives_both_sides_half_of_the_weight():
    weights = equal_prior(np.array([True, False, False, False]))
    assert weights.tolist() == pytest.approx([2.0, 2 / 3, 2 / 3, 2 / 3])


def test_a_group_never_stands_in_two_folds_and_strata_are_dealt_evenly():
    group = np.repeat(np.arange(60), 2)
    stratum = np.repeat(np.arange(3), 40)
    rows = Rows(np.zeros((120, 1)), np.arange(120) < 60, group, stratum)
    fold = deal_folds(rows, 5, seed=1)
    assert all(len(set(fold[group == g])) == 1 for g in range(60))
    assert all(np.bincount(fold[stratum == s], minlength=5).tolist() == [8] * 5 for s in range(3))


def test_no_row_is_scored_by_a_model_that_saw_its_group():
    # Each group carries a private feature that names its side: only a model that saw the group can use it.
    n_groups = 60
    group = np.repeat(np.arange(n_groups), 3)
    features = np.eye(n_groups)[group]
    is_human = (np.random.default_rng(3).permutation(n_groups) < 30)[group]
    result = cross_fit(Rows(features, is_human, group, is_human.astype(int)), logistic_regression, seed=2)
    assert score([result], n_resamples=9, seed=1).auc == pytest.approx(0.5, abs=0.02)
