"""Answers yes-or-no questions about rows: one logistic regression each, its cut chosen out of fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convsim.seeds import generator

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from scipy.sparse import csr_matrix

    BoolArray = npt.NDArray[np.bool_]
    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.int64]

INVERSE_PENALTY = 1.0
"""scikit-learn's C, at its default."""
CERTAIN = 20.0
"""The log odds of an answer that never varied in training."""
INNER_FOLDS = 3

Cut = Callable[["FloatArray", "BoolArray"], float]
"""Chooses the probability from which a question is answered yes, given out-of-fold probabilities and the truth."""


@dataclass(frozen=True)
class Questions:
    """Fitted weights of q questions about rows of p features, and the probability from which each is a yes."""

    weights: FloatArray
    """Shape (q, p)."""
    intercepts: FloatArray
    """Shape (q,)."""
    cuts: FloatArray
    """Shape (q,)."""

    def answer(self, rows: csr_matrix) -> BoolArray:
        """Return the answers; shape (rows, q)."""
        answers: BoolArray = _probabilities(rows, self.weights, self.intercepts) >= self.cuts
        return answers


@dataclass(frozen=True)
class Answered:
    """Rows, what is known of them, and which of them stay together."""

    rows: csr_matrix
    truth: FloatArray
    """Shape (rows, q): 1 yes, 0 no, NaN not known."""
    group: IntArray


def fit(known: Answered, cuts: Sequence[Cut], *, seed: int) -> Questions:
    """Fit each question on the rows where its answer is known; the cuts come from folds inside these rows."""
    import numpy as np

    inner = deal(known.group, INNER_FOLDS, seed=seed)
    held_out = np.full(known.truth.shape, np.nan)
    for fold in range(INNER_FOLDS):
        test = inner == fold
        if test.any() and not test.all():
            weights, intercepts = _fit_weights(known.rows[~test], known.truth[~test], seed=seed)
            held_out[test] = _probabilities(known.rows[test], weights, intercepts)
    weights, intercepts = _fit_weights(known.rows, known.truth, seed=seed)
    chosen = []
    for cut, truth, probability in zip(cuts, known.truth.T, held_out.T, strict=True):
        usable = ~np.isnan(truth) & ~np.isnan(probability)
        chosen.append(cut(probability[usable], truth[usable] == 1))
    return Questions(weights, intercepts, np.asarray(chosen, np.float64))


def deal(group: IntArray, n_folds: int, *, seed: int) -> IntArray:
    """Deal whole groups to folds in random order; shape (rows,)."""
    import numpy as np

    groups, group_of = np.unique(group, return_inverse=True)
    fold = generator(seed, "folds").permutation(len(groups)) % n_folds
    return np.asarray(fold[group_of], np.int64)


def cut_for_f1(probability: FloatArray, truth: BoolArray) -> float:
    """Return the cut of the highest F1; one half where there is no example."""
    import numpy as np

    if not truth.any():
        return 0.5
    order = np.argsort(-probability, kind="stable")
    ranked, hits = probability[order], np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + truth.sum())
    last_of_ties = np.append(ranked[1:] < ranked[:-1], True)
    best = int(np.argmax(np.where(last_of_ties, f1, -1.0)))
    return _between(ranked, best)


def cut_for_rate(probability: FloatArray, truth: BoolArray) -> float:
    """Return the cut that says yes as often as the truth does, as nearly as ties allow."""
    import numpy as np

    wanted = int(truth.sum())
    if wanted in (0, len(truth)):
        return 0.5
    ranked = -np.sort(-probability, kind="stable")
    ends = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True))
    return _between(ranked, int(ends[np.argmin(np.abs(ends + 1 - wanted))]))


def _between(ranked: FloatArray, last: int) -> float:
    """Cut midway between the last probability that is a yes and the next."""
    return float(ranked[last] if last + 1 == len(ranked) else (ranked[last] + ranked[last + 1]) / 2)


def _fit_weights(rows: csr_matrix, truth: FloatArray, *, seed: int) -> tuple[FloatArray, FloatArray]:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    weights, intercepts = np.zeros((truth.shape[1], rows.shape[1])), np.zeros(truth.shape[1])
    for question, answers in enumerate(truth.T):
        known = ~np.isnan(answers)
        yes = answers[known] == 1
        if not yes.any() or yes.all():
            intercepts[question] = CERTAIN if yes.any() else -CERTAIN
            continue
        model = LogisticRegression(
            C=INVERSE_PENALTY, class_weight="balanced", solver="liblinear", random_state=seed % 2**32
        )
        model.fit(rows[known], yes)
        weights[question], intercepts[question] = model.coef_[0], model.intercept_[0]
    return weights, intercepts


def _probabilities(rows: csr_matrix, weights: FloatArray, intercepts: FloatArray) -> FloatArray:
    from scipy.special import expit

    probabilities: FloatArray = expit(rows @ weights.T + intercepts)
    return probabilities
