"""A classifier that tells simulated from human, judged only on what it was not fitted on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.seeds import child_seed

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    Features = csr_matrix | FloatArray

MAX_FOLDS = 5
CALIBRATION_FOLDS = 3


class Classifier(Protocol):
    """The part of a scikit-learn classifier that is used here."""

    def fit(self, features: Features, labels: BoolArray, sample_weight: FloatArray) -> object:
        """Fit on rows with weights."""
        ...

    def decision_function(self, features: Features) -> FloatArray:
        """Return one score a row, higher for human."""
        ...


@dataclass(frozen=True)
class Rows:
    """Both sides' conversations as rows: features, side, and what keeps folds honest."""

    features: Features
    is_human: BoolArray
    group: IntArray
    """Rows of one group (a user, else a conversation) never stand in two folds."""
    stratum: IntArray
    """Folds hold each stratum (side, task and arm) in equal proportions."""
    exchangeable: IntArray
    """Under the null, rows with one number may change sides."""

    def take(self, rows: IntArray | BoolArray) -> Rows:
        """Return some of the rows."""
        return Rows(
            self.features[rows], self.is_human[rows], self.group[rows], self.stratum[rows], self.exchangeable[rows]
        )  # fmt: skip


@dataclass(frozen=True)
class Judge:
    """A fitted classifier with the calibration of its scores."""

    model: Classifier
    slope: float
    offset: float

    def probability(self, features: Features) -> FloatArray:
        """Return the calibrated probability of "human" of rows, shape (rows,)."""
        return self.calibrated(self.model.decision_function(features))

    def calibrated(self, scores: FloatArray) -> FloatArray:
        """Return the probability of "human" that scores stand for."""
        from scipy.special import expit

        probability: FloatArray = expit(self.slope * scores + self.offset)
        return probability


@dataclass(frozen=True)
class CrossFitted:
    """What models say of rows of which they saw neither the row nor its group."""

    score: FloatArray
    """Shape (rows,): higher for human; comparable within a fold only."""
    probability: FloatArray
    """Shape (rows,): the calibrated probability of "human"."""
    is_human: BoolArray
    fold: IntArray
    group: IntArray
    judges: tuple[Judge, ...] = ()
    """By fold: the judge that learned nothing from that fold's rows."""


def equal_prior(is_human: BoolArray) -> FloatArray:
    """Weigh rows so that both sides sum to the same, whatever their sizes."""
    n_human = int(is_human.sum())
    n_simulated = len(is_human) - n_human
    return np.where(is_human, len(is_human) / (2 * n_human), len(is_human) / (2 * n_simulated))


def cross_fit(rows: Rows, make: Callable[[], Classifier], *, seed: int) -> CrossFitted:
    """Score each row with a model fitted and calibrated on the other folds.

    Calibration is nested: a logistic curve through scores that are out of fold within the training folds, with
    equal prior weight for both sides and a slope of at least 0, so that a model that learned nothing says .5 and
    never its own opposite.
    """
    fold = deal_folds(rows, MAX_FOLDS, seed=child_seed(seed, "folds"))

    def fit(held_out: int) -> tuple[FloatArray, Judge]:
        training, test = rows.take(fold != held_out), rows.take(fold == held_out)
        inner = deal_folds(training, CALIBRATION_FOLDS, seed=child_seed(seed, "calibration", held_out))
        inner_scores = np.empty(len(inner))
        for part in range(CALIBRATION_FOLDS):
            model = _fitted(training.take(inner != part), make)
            inner_scores[inner == part] = model.decision_function(training.take(inner == part).features)
        judge = Judge(_fitted(training, make), *_calibrate(inner_scores, training.is_human))
        return judge.model.decision_function(test.features), judge

    score, probability = np.empty(len(fold)), np.empty(len(fold))
    judges = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for held_out, (scores, judge) in enumerate(pool.map(fit, range(MAX_FOLDS))):
            score[fold == held_out], probability[fold == held_out] = scores, judge.calibrated(scores)
            judges.append(judge)
    return CrossFitted(score, probability, rows.is_human, fold, rows.group, tuple(judges))


def fit_on_half(rows: Rows, make: Callable[[], Classifier], *, seed: int) -> tuple[Rows, FloatArray]:
    """Fit on half of the groups and score the other half; returns the scored rows and their scores."""
    half = deal_folds(rows, 2, seed=seed)
    scored = rows.take(half == 1)
    return scored, _fitted(rows.take(half == 0), make).decision_function(scored.features)


def deal_folds(rows: Rows, n_folds: int, *, seed: int) -> IntArray:
    """Deal whole groups to folds, each stratum in equal proportions; shape (rows,)."""
    rng = np.random.default_rng(seed)
    groups, first, group_of = np.unique(rows.group, return_index=True, return_inverse=True)
    order = rng.permutation(len(groups))
    order = order[np.argsort(rows.stratum[first][order], kind="stable")]
    fold_of_group = np.empty(len(groups), np.int64)
    start = rng.integers(n_folds)
    fold_of_group[order] = (start + np.arange(len(groups))) % n_folds
    return fold_of_group[group_of]


def _fitted(rows: Rows, make: Callable[[], Classifier]) -> Classifier:
    model = make()
    model.fit(rows.features, rows.is_human, sample_weight=equal_prior(rows.is_human))
    return model


def _calibrate(scores: FloatArray, is_human: BoolArray) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    spread = float(scores.std())
    if spread == 0:
        return 0.0, 0.0
    curve = LogisticRegression(C=1.0)
    curve.fit(scores[:, None] / spread, is_human, sample_weight=equal_prior(is_human))
    slope = float(curve.coef_[0, 0]) / spread
    return (slope, float(curve.intercept_[0])) if slope > 0 else (0.0, 0.0)
