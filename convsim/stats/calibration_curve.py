"""How well probabilities of one event rank and mean what they say: ROC AUC and logistic recalibration, by units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from convsim.schema.arrays import BoolArray, FloatArray, IntArray
    from convsim.stats.resampling import Weights

MAX_NUMBERS = 4_000_000
"""Rows times resamples that are held at a time."""
N_STEPS = 30
CONVERGED = 1e-6
"""Of the last step."""


def roc_auc(told: FloatArray, happened: BoolArray, units: IntArray, weights: Weights) -> FloatArray:
    """Return how often an event was told to be likelier than a non-event, ties counting half.

    Args:
        told: Shape (rows,): probabilities, or anything that rises with them.
        happened: Shape (rows,).
        units: Shape (rows,): the unit of each, from 0.
        weights: Shape (units, resamples): how often each unit was drawn.

    Returns:
        Shape (1 + resamples,): observed, and of each resample; NaN where one has no event or nothing else.

    Source:
        Hanley and McNeil (1982), The meaning and use of the area under a receiver operating characteristic (ROC) curve,
        Radiology 143.
    """
    level_of = np.unique(told, return_inverse=True)[1].ravel()
    n_levels = int(level_of.max(initial=-1)) + 1
    found = []
    for part in _parts(weights, len(told)):
        of_row = part[units]
        events, others = (np.zeros((n_levels, part.shape[1])) for _ in range(2))
        np.add.at(events, level_of[happened], of_row[happened])
        np.add.at(others, level_of[~happened], of_row[~happened])
        below = np.cumsum(others, axis=0) - others / 2
        pairs = events.sum(axis=0) * others.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append((events * below).sum(axis=0) / pairs)
    return np.concatenate(found)


@dataclass(frozen=True)
class Recalibration:
    """The line that turns the told log odds into those of what happened; 0 and 1 where they mean what they say."""

    intercept: FloatArray
    """Shape (1 + resamples,): above 0 where events are likelier than told. NaN where there is no line."""
    slope: FloatArray
    """Shape (1 + resamples,): below 1 where probabilities are too extreme."""


def recalibrate(told: FloatArray, happened: BoolArray, units: IntArray, weights: Weights) -> Recalibration:
    """Fit a logistic regression of what happened on the log odds that were told, for the logs and each resample.

    Args:
        told: Shape (rows,): probabilities.
        happened: Shape (rows,).
        units: Shape (rows,): the unit of each, from 0.
        weights: Shape (units, resamples): how often each unit was drawn.

    Source:
        Cox (1958), Two further applications of a model for binary regression, Biometrika 45.
    """
    odds = np.clip(told, 1e-9, 1 - 1e-9)
    x = np.log(odds / (1 - odds))
    y = happened.astype(np.float64)
    lines = [_line(x, y, part[units]) for part in _parts(weights, len(told))]
    intercept, slope = (np.concatenate(column) for column in zip(*lines, strict=True))
    return Recalibration(intercept, slope)


def _line(x: FloatArray, y: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return intercepts and slopes by Newton's method, a column of weights each."""
    n = weight.shape[1]
    a, b = np.zeros(n), np.ones(n)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for _ in range(N_STEPS):
            p = 1 / (1 + np.exp(-(a + np.outer(x, b))))
            off, spread = weight * (y[:, None] - p), weight * p * (1 - p)
            s0, s1, s2 = spread.sum(axis=0), x @ spread, (x**2) @ spread
            g0, g1 = off.sum(axis=0), x @ off
            det = s0 * s2 - s1**2
            step_a, step_b = (s2 * g0 - s1 * g1) / det, (s0 * g1 - s1 * g0) / det
            a, b = a + np.clip(step_a, -2, 2), b + np.clip(step_b, -2, 2)
            if np.nanmax(np.abs([step_a, step_b]), initial=0) < CONVERGED / 100:
                break
        # Where events are told apart without error there is no line: each step leads as far again.
        undefined = ~(np.abs([step_a, step_b]).max(axis=0) < CONVERGED)
    a[undefined] = b[undefined] = np.nan
    return a, b


def _parts(weights: Weights, n_rows: int) -> list[FloatArray]:
    """Return the logs as they are, and resamples in parts that fit into memory."""
    everything = np.concatenate([np.ones((len(weights), 1)), weights], axis=1)
    size = max(1, MAX_NUMBERS // max(1, n_rows))
    return [everything[:, start : start + size] for start in range(0, everything.shape[1], size)]
