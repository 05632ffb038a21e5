"""The scores are scikit-learn's and SciPy's, and their intervals hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import JsonValue
from scipy.stats import kendalltau
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from convsim.annotation.classifier.dataset import Target
from convsim.annotation.classifier.model import cut_for_f1, cut_for_rate, deal
from convsim.annotation.classifier.scores import score

LEVEL = Target(name="satisfaction", level="conversation", values=(1, 2, 3, 4))


def test_ordered_labels_score_as_scikit_learn_and_scipy_say():
    draws = np.random.default_rng(1)
    truth = draws.integers(1, 5, 300)
    said = np.clip(truth + draws.integers(-1, 2, 300), 1, 4)
    scores = score(LEVEL, truth.tolist(), said.tolist(), np.arange(300), seed=0)
    assert scores.accuracy.estimate == pytest.approx(accuracy_score(truth, said))
    assert scores.macro_f1.estimate == pytest.approx(f1_score(truth, said, average="macro"))
    assert scores.tau_b.estimate == pytest.approx(kendalltau(truth, said).statistic)
    assert (scores.mean.estimate, scores.true_mean) == pytest.approx((said.mean(), truth.mean()))
    assert scores.accuracy_of_commonest == pytest.approx(np.bincount(truth).max() / 300)


def test_acts_score_as_scikit_learn_says():
    draws = np.random.default_rng(2)
    names = np.asarray(["compare", "refine", "thank"])
    truth, said = draws.random((200, 3)) < 0.4, draws.random((200, 3)) < 0.5

    def sets(rows: np.ndarray) -> list[JsonValue]:
        return [names[row].tolist() or ["other"] for row in rows]

    target = Target(name="acts", level="message", acts=tuple(names.tolist()))
    scores = score(target, sets(truth), sets(said), np.arange(200), seed=0)
    here, there = (np.column_stack([rows, ~rows.any(axis=1)]) for rows in (truth, said))
    assert [one.name for one in scores.classes] == [*names, "other"]
    for measure, of in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        ours = [getattr(one, measure).estimate for one in scores.classes]
        assert ours == pytest.approx(of(here, there, average=None).tolist())
    assert scores.macro_f1.estimate == pytest.approx(f1_score(here, there, average="macro"))
    assert scores.accuracy.estimate == pytest.approx(accuracy_score(truth, said))
    assert scores.tau_b is None
    always = f1_score(here, np.ones_like(here), average=None)
    assert [one.f1_of_always for one in scores.classes] == pytest.approx(always.tolist())


def test_what_is_undefined_is_null_and_no_number():
    scores = score(LEVEL, [1, 2] * 10, [1] * 20, np.arange(20), seed=0)
    assert scores.tau_b.estimate is None
    assert scores.classes[1].precision.estimate is None
    assert scores.classes[3].recall.estimate is None


def test_an_interval_that_resamples_users_holds_the_true_accuracy():
    """Forty users of five messages, right or wrong together: intervals over messages would be far too narrow."""
    held = 0
    for trial in range(200):
        draws = np.random.default_rng(trial)
        right = np.repeat(draws.random(40) < 0.7, 5)
        truth = draws.integers(1, 3, 200)
        said = np.where(right, truth, 3 - truth)
        target = Target(name="satisfaction", level="message", values=(1, 2))
        low, high = score(
            target, truth.tolist(), said.tolist(), np.repeat(np.arange(40), 5), seed=trial
        ).accuracy.interval or (1, 0)
        held += low <= 0.7 <= high
    assert 0.89 <= held / 200 <= 0.99


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
