"""How well a classifier does: HLS, balanced accuracy and AUC, with intervals that resample whole units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import JsonValue

from convsim.schema.arrays import FloatArray, IntArray
from convsim.seeds import generator
from convsim.stats.discriminator import CrossFitted, calibrate
from convsim.stats.ecdf import Cells
from convsim.stats.resampling import Weights, draw, in_blocks
from convsim.stats.sides import Sides

REPEATS = 2
"""How often folds are dealt; scores are means over them."""
SHARED_FOLDS = float(np.sqrt(2))
CALIBRATIONS = 199
"""Draws in which calibration curves are fitted anew; enough for limits of 95 %."""
MAX_RECALIBRATED = 1 << 23
"""Weights of rows under which curves are fitted at a time: all draws up to 42,000 rows."""
CELLS_A_FOLD = 200
"""Scores of one fold are read on this many quantiles."""


@dataclass(frozen=True)
class Scores:
    """Observed scores, and their values under each bootstrap replicate, shape (replicates,)."""

    hls: float
    accuracy: float
    auc: float
    people: float
    """The mean calibrated probability of "human" over people: .5 where nothing tells the sides apart."""
    resampled_hls: FloatArray
    resampled_accuracy: FloatArray
    resampled_auc: FloatArray
    resampled_people: FloatArray

    def interval(
        self, name: Literal["hls", "accuracy", "auc", "people"], level: float = 0.95
    ) -> tuple[float, float]:
        """Return the percentile interval of a score, widened for what folds share.

        A bootstrap of out-of-fold scores holds the models fixed. But fold f's model has learned from fold g and g's
        from f, so that the same chance likeness of two folds counts in both: with a linear model and no true
        difference the variance is twice the bootstrap's (K (K - 1) products, each standing twice). Deviations are
        therefore stretched by the root of 2, which is right at equality and cautious away from it.

        A mean probability also moves with the calibration of the models, which ranks do not feel: in each draw the
        logistic curves are fitted anew.
        """
        low, high = _stretched(getattr(self, name), getattr(self, f"resampled_{name}"), level)
        if name == "hls":
            low = min(low, self._hls_at_upper_auc(level))
        if name == "people":
            high = max(high, 1 - self._hls_at_upper_auc(level))
        return max(0.0, low), min(1.0, high)

    def _hls_at_upper_auc(self, level: float) -> float:
        """Return the HLS of a calibrated classifier whose AUC is the upper limit of this one's.

        A curve that found no slope says .5 of everybody, and so it does in most draws; near there HLS hardly moves with
        what the classifier knows, and its own draws do not show how little that is certain. Ranks do.
        """
        return calibrated_hls(self.interval("auc", level)[1])

    @property
    def relative_hls(self) -> float:
        """The simulated side's mean probability of "human" as a multiple of people's: 1 if nothing tells them apart."""
        return self.hls / self.people

    def relative_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of ``relative_hls``: both sides are drawn anew, and it is widened as ``interval`` is."""
        low, high = _stretched(self.relative_hls, self.resampled_hls / self.resampled_people, level)
        low = min(low, (at := self._hls_at_upper_auc(level)) / (1 - at))
        return max(0.0, low), high


def calibrated_hls(auc: float) -> float:
    """Return the mean calibrated probability of "human" over the simulated side at an AUC of .5 to 1.

    Scores are taken as normal with one variance on both sides, whose distance d an AUC fixes; then the calibrated
    log-odds of the simulated side have the mean -d²/2 and the standard deviation d.
    """
    from scipy.special import expit
    from scipy.stats import norm

    distance = float(np.sqrt(2) * norm.ppf(min(max(auc, 0.5), 1 - 1e-9)))
    z, weight = np.polynomial.hermite_e.hermegauss(41)
    return float((weight * expit(distance * z - distance**2 / 2)).sum() / weight.sum())


def score(repeats: Sequence[CrossFitted], *, n_resamples: int, seed: int) -> Scores:
    """Score cross-fitted probabilities; the bootstrap draws units of each side with replacement.

    Scores of different folds come from different models, so that the AUC counts pairs within folds only. A tie at
    probability .5 counts as half right.

    Args:
        repeats: The same rows with folds dealt anew, at least one; scores are means over them, so that they hang less
            on one dealing.
        n_resamples: Draws of units, the same for all repeats.
        seed: Of the draws.
    """
    group = repeats[0].group
    units, unit_of = np.unique(group, return_inverse=True)
    is_human = repeats[0].is_human
    side = np.bincount(unit_of, is_human) > 0
    both = side & (np.bincount(unit_of, ~is_human) > 0)
    strata = np.where(both, 2, side).astype(np.int64)
    drawn = draw(strata, np.bincount(strata, minlength=3), n_resamples, generator(seed, "scores"))
    weights = np.column_stack([np.ones((len(units), 1), drawn.dtype), drawn])
    means = np.mean([_means(fitted, unit_of, weights) for fitted in repeats], axis=0)
    del drawn
    of_rows = weights[unit_of, 1 : 1 + CALIBRATIONS]
    hls, people = np.mean([_all_recalibrated(fitted, of_rows) for fitted in repeats], axis=0)
    observed, resampled = means[:, 0].tolist(), means[:, 1:]
    return Scores(observed[0], observed[1], observed[2], observed[3], hls, resampled[1], resampled[2], people)


def _means(fitted: CrossFitted, unit_of: IntArray, weights: Weights) -> FloatArray:
    """Return HLS, accuracy, AUC and people's mean probability of one repeat; shape (4, replicates)."""
    ranks = RankCells.of(fitted.score, fitted.fold, unit_of, fitted.is_human)
    right = _right(fitted)
    columns = (np.ones(len(right)), right, fitted.probability)
    by_unit = [
        [np.bincount(unit_of[rows], values[rows], len(weights)) for values in columns]
        for rows in (fitted.is_human, ~fitted.is_human)
    ]
    human, simulated = ([_summed(sums, weights) for sums in of_side] for of_side in by_unit)
    n_human, n_simulated = np.maximum(human[0], 1), np.maximum(simulated[0], 1)
    accuracy = (human[1] / n_human + simulated[1] / n_simulated) / 2
    return np.stack([simulated[2] / n_simulated, accuracy, ranks.auc(weights), human[2] / n_human])


def _summed(of_units: FloatArray | IntArray, weights: Weights) -> FloatArray:
    """Return the sum of units' values under each replicate; shape (replicates,)."""
    return np.concatenate([of_units @ some.astype(np.float64) for some in in_blocks(weights)])


def _all_recalibrated(fitted: CrossFitted, weights: Weights) -> FloatArray:
    """Return what ``_recalibrated`` does of as many replicates at a time as fit into memory."""
    blocks = in_blocks(weights, MAX_RECALIBRATED)
    return np.concatenate([_recalibrated(fitted, some.astype(np.float64)) for some in blocks], axis=1)


def _recalibrated(fitted: CrossFitted, weights: FloatArray) -> FloatArray:
    """Return HLS and people's mean probability where rows are drawn anew, and curves fitted to what was drawn.

    Args:
        fitted: One repeat; where it does not say what it was calibrated on, its probabilities stand.
        weights: Shape (rows, replicates).

    Returns:
        Shape (2, replicates).
    """
    from scipy.special import expit

    probability = np.repeat(fitted.probability[:, None], weights.shape[1], axis=1)
    for fold, scores in enumerate(fitted.inner):
        inside = fitted.fold == fold
        slope, offset = calibrate(scores, fitted.is_human[~inside], weights[~inside])
        probability[inside] = expit(fitted.score[inside, None] * slope + offset)
    sums = [
        ((probability[rows] * weights[rows]).sum(axis=0), weights[rows].sum(axis=0))
        for rows in (~fitted.is_human, fitted.is_human)
    ]
    return np.stack([total / np.maximum(n, 1) for total, n in sums])


def _stretched(observed: float, resampled: FloatArray, level: float) -> tuple[float, float]:
    low, high = np.quantile(resampled - observed, [(1 - level) / 2, (1 + level) / 2])
    return observed + SHARED_FOLDS * float(low), observed + SHARED_FOLDS * float(high)


def balanced_accuracy(fitted: CrossFitted) -> float:
    """Return the mean of both sides' proportions of right calls; a tie at probability .5 counts as half right."""
    right = _right(fitted)
    return float((right[fitted.is_human].mean() + right[~fitted.is_human].mean()) / 2)


def says_human(probability: FloatArray) -> FloatArray:
    """Call "human" 1 and "simulated" 0, of probabilities of any shape; a tie at .5 is half of a call."""
    calls: FloatArray = (np.sign(probability - 0.5) + 1) / 2
    return calls


def _right(fitted: CrossFitted) -> FloatArray:
    called = says_human(fitted.probability)
    return np.where(fitted.is_human, called, 1 - called)


@dataclass(frozen=True)
class RankCells:
    """Scores on a grid within each fold, by unit and side, for AUCs under many weightings at once."""

    human: Cells
    simulated: Cells
    n_folds: int
    n_cells: int

    @classmethod
    def of(cls, scores: FloatArray, fold: IntArray, unit_of: IntArray, is_human: np.ndarray) -> RankCells:
        """Cut scores of shape (rows,) into quantile cells within folds."""
        n_folds = int(fold.max()) + 1
        cell = np.empty(len(scores), np.int64)
        for number in range(n_folds):
            inside = fold == number
            cell[inside] = _quantile_cells(scores[inside])
        n_cells = int(cell.max()) + 1
        place = fold * n_cells + cell
        shape = {"n_cells": n_folds * n_cells, "n_units": int(unit_of.max()) + 1}
        human, simulated = (Cells.of(place[rows], unit_of[rows], **shape) for rows in (is_human, ~is_human))
        return cls(human, simulated, n_folds, n_cells)

    def auc(self, weights: Weights) -> FloatArray:
        """Return P(human scores higher than simulated) over pairs of one fold, ties half; shape (replicates,)."""
        return self.auc_of(self.human.resampled(weights), self.simulated.resampled(weights))

    def auc_of(self, human: FloatArray, simulated: FloatArray) -> FloatArray:
        """Return the AUC of cell counts of shape (cells, replicates)."""
        human = human.reshape(self.n_folds, self.n_cells, -1)
        simulated = simulated.reshape(self.n_folds, self.n_cells, -1)
        below = np.cumsum(simulated, axis=1) - simulated / 2
        pairs = (human.sum(axis=1) * simulated.sum(axis=1)).sum(axis=0)
        won = (human * below).sum(axis=(0, 1))
        auc: FloatArray = np.divide(won, pairs, out=np.full(len(pairs), 0.5), where=pairs > 0)
        return auc


def _quantile_cells(scores: FloatArray) -> IntArray:
    distinct = np.unique(scores)
    if len(distinct) > CELLS_A_FOLD:
        distinct = np.unique(np.quantile(scores, np.linspace(0, 1, CELLS_A_FOLD), method="inverted_cdf"))
    return np.searchsorted(distinct, scores).astype(np.int64)


MAX_SCORES = 20_000
"""Conversations of both sides up to which each one's score is kept."""
N_BINS = 20


def kept_scores(sides: Sides, repeats: Sequence[CrossFitted], control: CrossFitted) -> dict[str, JsonValue]:
    """Return each conversation's probability of "human" by id, and the control's counts in 20 bins from 0 to 1."""
    probability = np.mean([fitted.probability for fitted in repeats], axis=0).tolist()
    n_real = len(sides.real)
    parts = {"real": (sides.real, probability[:n_real]), "simulated": (sides.simulated, probability[n_real:])}
    details: dict[str, JsonValue] = {}
    if len(probability) <= MAX_SCORES:
        details["conversation_scores"] = {
            name: {c.id: p for c, p in zip(side.conversations, scores, strict=True)}
            for name, (side, scores) in parts.items()
        }
    details["control_histogram"] = {
        half: np.histogram(control.probability[rows], N_BINS, (0, 1))[0].tolist()
        for half, rows in (("first", control.is_human), ("second", ~control.is_human))
    }
    return details
