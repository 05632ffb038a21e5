"""A classifier that tells simulated from human, judged only on what it was not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.seeds import child_seed
from convsim.stats.tasks import in_tasks

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
    """Rows of one group (what one user, scenario or text links) never stand in two folds."""
    stratum: IntArray
    """Folds hold each stratum (side, task and arm) in equal proportions, as far as groups allow."""

    def take(self, rows: IntArray | BoolArray) -> Rows:
        """Return some of the rows."""
        return Rows(self.features[rows], self.is_human[rows], self.group[rows], self.stratum[rows])


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
    inner: tuple[FloatArray, ...] = ()
    """By fold, shape (rows of the other folds,): the scores that the fold's judge was calibrated on."""


def equal_prior(is_human: BoolArray) -> FloatArray:
    """Weigh rows so that both sides sum to the same, whatever their sizes."""
    n_human = int(is_human.sum())
    n_simulated = len(is_human) - n_human
    return np.where(is_human, len(is_human) / (2 * n_human), len(is_human) / (2 * n_simulated))


def cross_fit(rows: Rows, make: Callable[[], Classifier], *, seed: int, n_models: int = 1) -> CrossFitted:
    """Score each row with a model fitted and calibrated on the other folds.

    Calibration is nested: a logistic curve through scores that are out of fold within the training folds, with
    equal prior weight for both sides and a slope of at least 0, so that a model that learned nothing says .5 and
    never its own opposite.

    Args:
        rows: What is dealt to folds.
        make: Makes an unfitted classifier.
        seed: Deals folds.
        n_models: Of how many models each classifier is made up: what fitting it costs.
    """
    [fitted] = _cross_fitted(rows, make, [seed], n_models)
    return fitted


def cross_fit_repeatedly(
    rows: Rows, make: Callable[[], Classifier], *, repeats: int, seed: int
) -> tuple[CrossFitted, ...]:
    """Cross-fit with folds dealt anew each time, so that a mean over them hangs less on one dealing."""
    return _cross_fitted(rows, make, [child_seed(seed, "repeat", repeat) for repeat in range(repeats)])


def _cross_fitted(
    rows: Rows, make: Callable[[], Classifier], seeds: Sequence[int], n_models: int = 1
) -> tuple[CrossFitted, ...]:
    dealt = _Dealt(
        rows, make, [deal_folds(rows, MAX_FOLDS, seed=child_seed(seed, "folds")) for seed in seeds]
    )
    pieces = [(number, held_out, seed) for number, seed in enumerate(seeds) for held_out in range(MAX_FOLDS)]
    found = in_tasks(_judge, pieces, shared=dealt, n_numbers=n_models * _n_numbers(rows.features), threads=2)
    fitted = []
    for number, fold in enumerate(dealt.folds):
        score, probability = np.empty(len(fold)), np.empty(len(fold))
        of_folds = found[number * MAX_FOLDS : (number + 1) * MAX_FOLDS]
        for held_out, one in enumerate(of_folds):
            score[fold == held_out] = one.scores
            probability[fold == held_out] = one.judge.calibrated(one.scores)
        judges, inner = tuple(one.judge for one in of_folds), tuple(one.inner for one in of_folds)
        fitted.append(CrossFitted(score, probability, rows.is_human, fold, rows.group, judges, inner))
    return tuple(fitted)


class _Dealt(NamedTuple):
    """Rows, what is fitted to them, and the fold of each, once or several times."""

    rows: Rows
    make: Callable[[], Classifier]
    folds: Sequence[IntArray]


class _OfFold(NamedTuple):
    """What a judge says of the rows of its fold, and the scores of the others that it was calibrated on."""

    scores: FloatArray
    judge: Judge
    inner: FloatArray


def _judge(dealt: _Dealt, piece: tuple[int, int, int]) -> _OfFold:
    (rows, make, folds), (number, held_out, seed) = dealt, piece
    training, test = rows.take(folds[number] != held_out), rows.take(folds[number] == held_out)
    dealt_again = deal_folds(training, CALIBRATION_FOLDS, seed=child_seed(seed, "calibration", held_out))
    inner = np.empty(len(dealt_again))
    for part in range(CALIBRATION_FOLDS):
        model = fit(training.take(dealt_again != part), make)
        inner[dealt_again == part] = model.decision_function(training.take(dealt_again == part).features)
    judge = Judge(fit(training, make), *_calibrate(inner, training.is_human))
    return _OfFold(judge.model.decision_function(test.features), judge, inner)


def _n_numbers(features: Features) -> int:
    return features.size if isinstance(features, np.ndarray) else int(features.nnz)


def out_of_fold_aucs(several: Sequence[Rows], make: Callable[[], Classifier], *, seed: int) -> FloatArray:
    """Return the AUC over pairs of one fold, of models that saw neither; uncalibrated, which ranks do not feel.

    Args:
        several: Rows that are dealt to folds each for itself.
        make: Makes an unfitted classifier.
        seed: Deals the folds.

    Returns:
        Shape (several,).
    """
    n_numbers = max((_n_numbers(rows.features) for rows in several), default=0)
    return np.asarray(in_tasks(_auc, several, shared=(make, seed), n_numbers=n_numbers))


def _auc(made: tuple[Callable[[], Classifier], int], rows: Rows) -> float:
    from scipy.stats import rankdata

    make, seed = made
    fold = deal_folds(rows, MAX_FOLDS, seed=seed)
    won = pairs = 0.0
    for held_out in range(MAX_FOLDS):
        test = rows.take(fold == held_out)
        scores = fit(rows.take(fold != held_out), make).decision_function(test.features)
        n_human = int(test.is_human.sum())
        won += float(rankdata(scores)[test.is_human].sum()) - n_human * (n_human + 1) / 2
        pairs += n_human * (len(scores) - n_human)
    return won / pairs


def deal_folds(rows: Rows, n_folds: int, *, seed: int) -> IntArray:
    """Deal whole groups to folds, each side and each stratum in equal proportions; shape (rows,).

    Groups that hold the same strata are dealt one after another, the larger first, each to the fold that has the least
    of the sides in the group; which fold comes first among equals, and the order of equals, is drawn.
    """
    rng = np.random.default_rng(seed)
    group_of = np.unique(rows.group, return_inverse=True)[1]
    n_groups = int(group_of.max()) + 1 if len(group_of) else 0
    pairs = np.unique(np.column_stack([group_of, rows.stratum]), axis=0)
    strata: list[list[int]] = [[] for _ in range(n_groups)]
    for group, stratum in pairs.tolist():
        strata[group].append(stratum)
    sizes = np.stack(
        [np.bincount(group_of[side], minlength=n_groups) for side in (rows.is_human, ~rows.is_human)]
    )
    shares = (sizes / np.maximum(sizes.sum(axis=1, keepdims=True), 1)).T.tolist()
    drawn, first = rng.permutation(n_groups).tolist(), rng.random((n_groups, n_folds)).tolist()
    load = [[0.0, 0.0] for _ in range(n_folds)]
    fold_of_group = np.empty(n_groups, np.int64)
    for group in sorted(drawn, key=lambda group: (strata[group], -sum(shares[group]))):
        human, simulated = shares[group]
        costs = [round((human > 0) * one + (simulated > 0) * other, 12) for one, other in load]
        fold = min(range(n_folds), key=lambda fold: (costs[fold], first[group][fold]))
        fold_of_group[group] = fold
        load[fold][0] += human
        load[fold][1] += simulated
    return np.asarray(fold_of_group[group_of], np.int64)


def fit(rows: Rows, make: Callable[[], Classifier]) -> Classifier:
    """Fit on rows, with equal prior weight for both sides."""
    model = make()
    model.fit(rows.features, rows.is_human, sample_weight=equal_prior(rows.is_human))
    return model


def _calibrate(scores: FloatArray, is_human: BoolArray) -> tuple[float, float]:
    slope, offset = calibrate(scores, is_human, np.ones((len(scores), 1)))
    return float(slope[0]), float(offset[0])


NEWTON_STEPS = 25
RIDGE = 1.0
"""Penalty on half the square of the slope, in standard deviations of the scores."""


def calibrate(scores: FloatArray, is_human: BoolArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fit a logistic curve through scores, at equal prior weight of both sides, under each weighting.

    Args:
        scores: Shape (rows,).
        is_human: Shape (rows,).
        weights: Shape (rows, replicates): how often each row counts.

    Returns:
        Slopes, at least 0, and offsets, each of shape (replicates,). Both are 0 where the slope would be negative.
    """
    n_replicates = weights.shape[1]
    spread = float(scores.std())
    if spread == 0:
        return np.zeros(n_replicates), np.zeros(n_replicates)
    x = (scores / spread)[:, None]
    of_side = np.where(is_human[:, None], weights[is_human].sum(axis=0), weights[~is_human].sum(axis=0))
    w = np.divide(weights * len(scores), 2 * of_side, out=np.zeros_like(weights), where=of_side > 0)
    human = is_human[:, None].astype(np.float64)
    slope, offset = np.zeros(n_replicates), np.zeros(n_replicates)
    for _ in range(NEWTON_STEPS):
        probability = 1 / (1 + np.exp(-np.clip(slope * x + offset, -30, 30)))
        error = w * (probability - human)
        curvature = w * probability * (1 - probability)
        to_slope, to_offset = (error * x).sum(axis=0) + RIDGE * slope, error.sum(axis=0)
        a, b, c = (
            (curvature * x * x).sum(axis=0) + RIDGE,
            (curvature * x).sum(axis=0),
            curvature.sum(axis=0) + 1e-9,
        )
        determinant = a * c - b * b
        step = (c * to_slope - b * to_offset) / determinant, (a * to_offset - b * to_slope) / determinant
        slope, offset = slope - np.clip(step[0], -2, 2), offset - np.clip(step[1], -2, 2)
        if max(np.abs(step[0]).max(), np.abs(step[1]).max()) < 1e-6:
            break
    rises = slope > 0
    return np.where(rises, slope / spread, 0.0), np.where(rises, offset, 0.0)
