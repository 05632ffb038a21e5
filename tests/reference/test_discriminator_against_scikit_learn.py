"""The parts of ``humanlikeness`` against scikit-learn and hand calculations."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from convsim.stats.discriminator import CrossFitted, Rows, cross_fit, deal_folds, equal_prior
from convsim_validators.humanlikeness.features import logistic_regression
from convsim_validators.humanlikeness.scores import score


def fitted(n_human: int, n_simulated: int, *, n_folds: int, seed: int = 4) -> CrossFitted:
    rng = np.random.default_rng(seed)
    n = n_human + n_simulated
    is_human = np.arange(n) < n_human
    probability = np.clip(0.5 + 0.1 * is_human + rng.normal(0, 0.15, n), 0.01, 0.99)
    return CrossFitted(probability, probability, is_human, rng.integers(0, n_folds, n), np.arange(n))


def test_auc_of_one_fold_is_scikit_learns():
    result = fitted(40, 60, n_folds=1)
    ours = score(result, n_resamples=9, seed=1).auc
    assert ours == pytest.approx(roc_auc_score(result.is_human, result.probability))


def test_auc_of_several_folds_weighs_scikit_learns_by_pairs():
    result = fitted(80, 120, n_folds=4)
    parts = [result.fold == fold for fold in range(4)]
    aucs = [roc_auc_score(result.is_human[part], result.probability[part]) for part in parts]
    pairs = [result.is_human[part].sum() * (~result.is_human[part]).sum() for part in parts]
    assert score(result, n_resamples=9, seed=1).auc == pytest.approx(np.average(aucs, weights=pairs))


def test_accuracy_is_scikit_learns_balanced_accuracy():
    result = fitted(30, 90, n_folds=3)
    expected = balanced_accuracy_score(result.is_human, result.probability > 0.5)
    assert score(result, n_resamples=9, seed=1).accuracy == pytest.approx(expected)


def test_a_probability_of_one_half_is_half_right():
    n = 20
    undecided = CrossFitted(np.zeros(n), np.full(n, 0.5), np.arange(n) < 5, np.zeros(n, int), np.arange(n))
    result = score(undecided, n_resamples=9, seed=1)
    assert (result.hls, result.accuracy, result.auc) == (0.5, 0.5, 0.5)


def test_hls_is_the_mean_probability_of_the_simulated_rows():
    result = fitted(25, 50, n_folds=2)
    assert score(result, n_resamples=9, seed=1).hls == pytest.approx(result.probability[25:].mean())


def test_equal_prior_gives_both_sides_half_of_the_weight():
    weights = equal_prior(np.array([True, False, False, False]))
    assert weights.tolist() == pytest.approx([2.0, 2 / 3, 2 / 3, 2 / 3])


def test_a_group_never_stands_in_two_folds_and_strata_are_dealt_evenly():
    group = np.repeat(np.arange(60), 2)
    stratum = np.repeat(np.arange(3), 40)
    rows = Rows(np.zeros((120, 1)), np.arange(120) < 60, group, stratum, np.zeros(120, int))
    fold = deal_folds(rows, 5, seed=1)
    assert all(len(set(fold[group == g])) == 1 for g in range(60))
    assert all(np.bincount(fold[stratum == s], minlength=5).tolist() == [8] * 5 for s in range(3))


def test_no_row_is_scored_by_a_model_that_saw_its_group():
    # Each group carries a private feature that names its side: only a model that saw the group can use it.
    n_groups = 60
    group = np.repeat(np.arange(n_groups), 3)
    features = np.eye(n_groups)[group]
    is_human = (np.random.default_rng(3).permutation(n_groups) < 30)[group]
    result = cross_fit(
        Rows(features, is_human, group, is_human.astype(int), np.zeros(180, int)), logistic_regression, seed=2
    )
    assert score(result, n_resamples=9, seed=1).auc == pytest.approx(0.5, abs=0.02)
