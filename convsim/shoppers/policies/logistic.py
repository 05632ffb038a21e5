"""Regularised logistic regressions whose strength other users choose, with the signs that people show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from convsim.errors import InputError
from convsim.schema.arrays import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from numpy.random import Generator

STRENGTHS = tuple(10.0**power for power in (-3, -2.5, -2, -1.5, -1, -0.5, 0, 1))
"""Inverse penalties that are tried, the strongest penalty first."""
FOLDS = 5
MOST = 50.0
"""Of a log odds: beyond it a probability is 0 or 1 to all digits."""
FEWEST_ACTS = 10
"""Messages with an act, below which it is not learned."""


@dataclass(frozen=True)
class Logistic:
    """Log odds that are linear in standardised columns."""

    weights: FloatArray
    """Shape (columns,)."""
    intercept: float
    strength: float | None = None
    """Inverse penalty that it was fitted with; None where that is not known any more."""

    def probability(self, columns: FloatArray, added: FloatArray | float = 0.0) -> FloatArray:
        """Return the probability at each point, with what is ``added`` to its log odds; shape (points,)."""
        return expit(self.intercept + columns @ self.weights + added)


@dataclass(frozen=True)
class Multinomial:
    """Probabilities of kinds whose scores are linear in standardised columns."""

    weights: FloatArray
    """Shape (kinds, columns)."""
    intercepts: FloatArray
    """Shape (kinds,)."""

    def probability(self, columns: FloatArray) -> FloatArray:
        """Return the probability of each kind at each point; shape (points, kinds)."""
        return softmax(self.intercepts + columns @ self.weights.T)


def expit(log_odds: FloatArray) -> FloatArray:
    """Return the probabilities of log odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -MOST, MOST))))


def softmax(scores: FloatArray) -> FloatArray:
    """Return probabilities that are proportional to exp(score), along the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def folds_of(units: IntArray, rng: Generator, n_folds: int = FOLDS) -> Iterator[BoolArray]:
    """Deal whole units to folds, and yield the rows of each."""
    names, unit_of = np.unique(units, return_inverse=True)
    n_folds = min(n_folds, len(names))
    fold_of = np.empty(len(names), np.int64)
    fold_of[rng.permutation(len(names))] = np.arange(len(names)) % n_folds
    for fold in range(n_folds):
        yield np.asarray(fold_of[unit_of.ravel()] == fold)


def fit_logistic(
    columns: FloatArray,
    happened: BoolArray,
    units: IntArray,
    rng: Generator,
    *,
    signs: Mapping[int, int] | None = None,
) -> tuple[Logistic, FloatArray]:
    """Fit with the penalty whose forecasts of users who were left out have the lowest log loss, ``signs`` aside.

    Args:
        columns: Shape (points, columns); standardised.
        happened: Shape (points,); some True and some False.
        units: Shape (points,): the user of each.
        rng: Deals users to folds.
        signs: Columns whose weight may not have the other sign. Those that have are left out one after another, that
            of the largest weight first.

    Returns:
        What was fitted, and by how much the log loss of each point lies below that of the mean of other users, shape
        (points,); 0 where these tell nothing.

    Raises:
        InputError: The fit is not finite.
    """
    splits = [*folds_of(units, rng)]
    gains = np.zeros((len(STRENGTHS), len(happened)))
    for out in splits:
        if len(np.unique(happened[~out])) < 2:
            continue
        for place, strength in enumerate(STRENGTHS):
            told = fit_at(columns[~out], happened[~out], strength).probability(columns[out])
            gains[place, out] = gain_of(told, happened, out)
    best = int(gains.sum(axis=1).argmax())
    strength = STRENGTHS[best]
    left_out: list[int] = []
    while True:
        kept = np.setdiff1d(np.arange(columns.shape[1]), left_out)
        fitted = fit_at(columns[:, kept], happened, strength)
        weights = np.zeros(columns.shape[1])
        weights[kept] = fitted.weights
        wrong = {c: abs(weights[c]) for c, sign in (signs or {}).items() if weights[c] * sign < 0}
        if not wrong:
            return Logistic(weights, fitted.intercept, strength), gains[best]
        left_out.append(max(wrong, key=lambda column: wrong[column]))


def gain_of(told: FloatArray, happened: BoolArray, out: BoolArray) -> FloatArray:
    """Return by how much forecasts of those left out are better than the mean of the others; shape (left out,)."""
    mean = np.full(len(told), happened[~out].mean())
    return np.asarray(_log_losses(mean, happened[out]) - _log_losses(told, happened[out]))


def _log_losses(told: FloatArray, happened: BoolArray) -> FloatArray:
    """Return minus the log of the probability of what happened, at least 1e-12; shape (points,)."""
    return np.asarray(-np.log(np.clip(np.where(happened, told, 1 - told), 1e-12, 1)))


def fit_multinomial(
    columns: FloatArray, acts: Sequence[Sequence[str]], units: IntArray, rng: Generator
) -> tuple[tuple[str, ...], Multinomial] | None:
    """Fit which act comes next; a message with several counts for each in equal parts.

    Acts of fewer than ten messages are not learned.

    Returns:
        The acts, and their probabilities; None where fewer than two are left.
    """
    rows, kinds, shares = [], [], []
    counts: dict[str, int] = {}
    for of_message in acts:
        for act in of_message:
            counts[act] = counts.get(act, 0) + 1
    names = tuple(sorted(act for act, n in counts.items() if n >= FEWEST_ACTS))
    if len(names) < 2:
        return None
    for row, of_message in enumerate(acts):
        for act in (known := [act for act in of_message if act in names]):
            rows.append(row)
            kinds.append(names.index(act))
            shares.append(1 / len(known))
    at, kind, share = np.asarray(rows), np.asarray(kinds), np.asarray(shares)
    x, unit_of = columns[at], units[at]
    losses = np.zeros(len(STRENGTHS))
    for out in folds_of(unit_of, rng):
        if len(np.unique(kind[~out])) < len(names):
            continue
        for place, strength in enumerate(STRENGTHS):
            told = _fitted_kinds(x[~out], kind[~out], share[~out], strength).probability(x[out])
            losses[place] -= float(share[out] @ np.log(told[np.arange(len(told)), kind[out]].clip(1e-12)))
    return names, _fitted_kinds(x, kind, share, STRENGTHS[int(losses.argmin())])


def fit_at(columns: FloatArray, happened: BoolArray, strength: float) -> Logistic:
    """Fit with one strength; some happened and some did not."""
    if not columns.shape[1]:
        rate = float(happened.mean())
        return Logistic(np.zeros(0), float(np.log(rate / (1 - rate))), strength)
    model = _regression(strength, "newton-cholesky").fit(columns, happened)
    return Logistic(_finite(model.coef_[0]), float(_finite(model.intercept_)[0]), strength)


def _fitted_kinds(columns: FloatArray, kind: IntArray, share: FloatArray, strength: float) -> Multinomial:
    model = _regression(strength, "lbfgs").fit(columns, kind, sample_weight=share)
    if len(model.classes_) == 2:  # scikit-learn tells the second alone
        weights, intercepts = (
            np.concatenate([-x / 2, x / 2]) for x in (_finite(model.coef_), _finite(model.intercept_))
        )
        return Multinomial(weights, intercepts)
    return Multinomial(_finite(model.coef_), _finite(model.intercept_))


def _regression(strength: float, solver: str) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, solver=solver, max_iter=1_000)


def _finite(values: Any) -> FloatArray:
    found = np.asarray(values, np.float64)
    if not np.isfinite(found).all():
        raise InputError(
            "the policy cannot be fitted: a weight is not finite; look for extreme numbers in the logs"
        )
    return found
