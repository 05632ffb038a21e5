"""Statistics of agreement against scikit-learn, SciPy and examples that were worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score, precision_recall_fscore_support
from sklearn.preprocessing import MultiLabelBinarizer

from convsim.annotation.agreement import check
from convsim.stats.agreement import nominal_alpha, ordinal_alpha
from tests.labelled import labelled_messages, labelled_sessions

SEEDS = range(6)


def ratings(seed: int, n_levels: int, n: int = 60):
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, n_levels + 1, n)
    said = np.where(rng.random(n) < 0.6, truth, rng.integers(1, n_levels + 1, n))
    truth[:n_levels] = said[:n_levels] = np.arange(1, n_levels + 1)
    return truth, said


def entry_of(truth, said, scale):
    conversations = labelled_sessions("satisfaction", {"self": truth, "judge:m:1": said}, scale=scale)
    checked = check(conversations, conversations, source="judge:m:1", against="self", seed=1, n_resamples=19)
    entry = checked.for_label("satisfaction", "conversation")
    assert entry is not None
    return entry


@pytest.mark.parametrize("n_levels", [2, 3, 5])
@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_are_scikit_learns_and_scipys(seed, n_levels):
    truth, said = ratings(seed, n_levels)
    entry = entry_of(truth, said, (1, n_levels))
    assert entry.kendall_tau_b.estimate == pytest.approx(kendalltau(truth, said).statistic)
    assert entry.kappa.estimate == pytest.approx(cohen_kappa_score(truth, said))
    assert entry.accuracy.estimate == pytest.approx(np.mean(truth == said))
    assert entry.macro_f1.estimate == pytest.approx(f1_score(truth, said, average="macro"))
    assert entry.confusion.counts == tuple(map(tuple, confusion_matrix(truth, said).tolist()))
    if n_levels > 2:
        weighted = cohen_kappa_score(truth, said, weights="quadratic")
        assert entry.kappa_quadratic.estimate == pytest.approx(weighted)
    precision, recall, f1, support = precision_recall_fscore_support(truth, said)
    assert [c.precision.estimate for c in entry.classes] == pytest.approx(precision.tolist())
    assert [c.recall.estimate for c in entry.classes] == pytest.approx(recall.tolist())
    assert [c.f1.estimate for c in entry.classes] == pytest.approx(f1.tolist())
    assert [c.n_reference for c in entry.classes] == support.tolist()


def test_a_value_that_nobody_gave_does_not_move_the_weighted_kappa():
    truth, said = np.array([1, 1, 2, 5, 5, 5, 2, 1, 5, 2]), np.array([1, 2, 2, 5, 2, 5, 2, 1, 1, 5])
    expected = cohen_kappa_score(truth, said, labels=[1, 2, 3, 4, 5], weights="quadratic")
    assert entry_of(truth, said, (1, 5)).kappa_quadratic.estimate == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_acts_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    names = np.array(["inform", "refine", "thank", "close"])
    truth = [sorted(names[rng.random(4) < [0.5, 0.3, 0.2, 0.1]].tolist()) for _ in range(80)]
    said = [t if rng.random() < 0.5 else sorted(names[rng.random(4) < 0.3].tolist()) for t in truth]
    conversations = labelled_messages("acts", {"third_party": truth, "rules:1": said}, per_conversation=4)
    checked = check(
        conversations, conversations, source="rules:1", against="third_party", seed=1, n_resamples=19
    )
    entry = checked.for_label("acts", "message")
    binarizer = MultiLabelBinarizer().fit([names])
    y, z = binarizer.transform(truth), binarizer.transform(said)
    precision, recall, f1, _ = precision_recall_fscore_support(y, z)
    assert [c.name for c in entry.classes] == binarizer.classes_.tolist()
    assert [c.precision.estimate for c in entry.classes] == pytest.approx(precision.tolist())
    assert [c.recall.estimate for c in entry.classes] == pytest.approx(recall.tolist())
    assert [c.f1.estimate for c in entry.classes] == pytest.approx(f1.tolist())
    expected = [cohen_kappa_score(y[:, i], z[:, i]) for i in range(4)]
    assert [c.kappa.estimate for c in entry.classes] == pytest.approx(expected)
    assert [c.prevalence_reference for c in entry.classes] == pytest.approx(y.mean(axis=0).tolist())
    assert [c.prevalence_annotated for c in entry.classes] == pytest.approx(z.mean(axis=0).tolist())
    assert [c.always_f1 for c in entry.classes] == pytest.approx(
        [f1_score(y[:, i], np.ones(80)) for i in range(4)]
    )
    assert entry.macro_f1.estimate == pytest.approx(f1_score(y, z, average="macro"))
    most = np.zeros_like(y)
    most[:, y.mean(axis=0).argmax()] = 1
    assert entry.majority_macro_f1 == pytest.approx(f1_score(y, most, average="macro", zero_division=0))
    whole = [[",".join(names) for names in side] for side in (truth, said)]
    assert entry.kappa.estimate == pytest.approx(cohen_kappa_score(*whole))
    assert entry.accuracy.estimate == pytest.approx(np.mean([a == b for a, b in zip(*whole, strict=True)]))


# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: the data and results of its sections A, B, C and D.
MEG, OWEN = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
BEN, GERRY = "aabbdcccedda", "babbbccceddd"
FOUR = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def test_alpha_of_two_observers_with_two_values_is_krippendorffs():
    entry = entry_of(np.array(MEG), np.array(OWEN), (0, 1))
    assert entry.alpha.estimate == pytest.approx(0.095, abs=5e-4)
    assert [c.alpha.estimate for c in entry.classes] == pytest.approx([0.095, 0.095], abs=5e-4)


def test_alpha_of_two_observers_with_five_categories_is_krippendorffs():
    sets = {"third_party": [[c] for c in BEN], "rules:1": [[c] for c in GERRY]}
    conversations = labelled_messages("acts", sets, per_conversation=1)
    checked = check(
        conversations, conversations, source="rules:1", against="third_party", seed=1, n_resamples=19
    )
    assert checked.entries[0].alpha.estimate == pytest.approx(0.692, abs=5e-4)


def coincidences() -> np.ndarray:
    """Count the pairs of values within each item: each pair weighs 1 / (values of the item - 1)."""
    table = np.zeros((5, 5))
    for column in zip(*FOUR, strict=True):
        values = [v for v in column if v is not None]
        for i, first in enumerate(values):
            for j, second in enumerate(values):
                if i != j:
                    table[first - 1, second - 1] += 1 / (len(values) - 1)
    return table


def test_alpha_of_ordered_categories_is_krippendorffs():
    table = coincidences()
    assert table.sum(axis=1) == pytest.approx([9, 13, 10, 5, 3])
    assert ordinal_alpha(table[None])[0] == pytest.approx(0.815, abs=5e-4)
    # Between two values there is no order to respect, so that both forms of alpha are one.
    two = np.array([[[8.0, 3.0], [3.0, 6.0]]])
    nominal = nominal_alpha(np.array([14 / 2]), two.sum(axis=2), np.array([20 / 2]))
    assert ordinal_alpha(two)[0] == pytest.approx(nominal[0])


def test_alpha_without_order_is_krippendorffs_with_gaps_too():
    table = coincidences()
    n = table.sum() / 2
    alpha = nominal_alpha(np.array([table.trace() / 2]), table.sum(axis=1)[None], np.array([n]))
    assert alpha[0] == pytest.approx(0.743, abs=5e-4)
