"""Cuts say yes as they should, and folds keep groups whole."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from convsim.annotation.classifier.model import cut_for_f1, cut_for_rate, deal


def test_the_cut_for_f1_is_the_best_of_all_cuts():
    draws = np.random.default_rng(3)
    truth = draws.random(300) < 0.2
    probability = np.asarray(np.round(np.clip(0.3 * truth + draws.normal(0.4, 0.2, 300), 0, 1), 2), float)
    cut = cut_for_f1(probability, truth)
    best = max(f1_score(truth, probability >= c, zero_division=0.0) for c in np.unique(probability))
    assert f1_score(truth, probability >= cut) == pytest.approx(best)


def test_the_cut_for_the_rate_says_yes_as_often_as_the_truth():
    draws = np.random.default_rng(4)
    truth, probability = draws.random(500) < 0.23, draws.random(500)
    assert (probability >= cut_for_rate(probability, truth)).sum() == truth.sum()


@pytest.mark.parametrize("cut", [cut_for_f1, cut_for_rate])
@pytest.mark.parametrize("truth", [[], [False, False]])
def test_without_an_example_the_cut_is_one_half(cut, truth):
    assert cut(np.full(len(truth), 0.9), np.asarray(truth, bool)) == 0.5


def test_groups_are_dealt_whole_and_evenly():
    group = np.repeat(np.arange(23), 3)
    fold = deal(group, 5, seed=1)
    assert all(len(set(fold[group == one])) == 1 for one in range(23))
    assert sorted(np.bincount(fold) // 3) == [4, 4, 5, 5, 5]
