"""How good forecasts of single moves are: fair Brier scores, calibration, base rates of others, means over units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema import Estimate
from convsim.stats.resampling import Weights, draw_units

if TYPE_CHECKING:
    from numpy.random import Generator

    from convsim.schema.arrays import BoolArray, FloatArray, IntArray

STRENGTH = 2.0
"""Imagined moves at the rate of all turns that are added to those of one turn."""
N_BINS, FEWEST = 5, 20
"""Bins of a calibration curve, and moves below which a bin would look miscalibrated by chance alone."""
LEVEL = 0.95
N_RESAMPLES = 999


@dataclass(frozen=True)
class Forecasts:
    """What was forecast of each move, as the shares of draws or as stated probabilities.

    A share of few draws is noisy: what its noise adds to a score is taken out, and what is binned by one half of the
    draws is compared by the other.
    """

    shares: FloatArray
    """Shape (moves, kinds): each row adds up to 1."""
    n_draws: FloatArray
    """Shape (moves,): how many draws the shares are of; infinite where they are probabilities that were stated."""
    halves: FloatArray
    """Shape (moves, 2, kinds): the shares of the even and of the odd draws; NaN of a single draw."""

    @classmethod
    def stated(cls, probabilities: FloatArray) -> Forecasts:
        """Take probabilities, shape (moves, kinds), for what they say."""
        halves = np.repeat(probabilities[:, None, :], 2, axis=1)
        return cls(probabilities, np.full(len(probabilities), math.inf), halves)

    @classmethod
    def of(cls, draws: Sequence[FloatArray | IntArray], n_kinds: int) -> Forecasts:
        """Take for each move its drawn kinds (integers, at least one), or its probabilities (floats, one a kind)."""
        n = len(draws)
        shares, halves = np.empty((n, n_kinds)), np.full((n, 2, n_kinds), math.nan)
        n_draws = np.empty(n)
        for row, drawn in enumerate(draws):
            if np.issubdtype(drawn.dtype, np.floating):
                shares[row], halves[row], n_draws[row] = drawn, drawn, math.inf
                continue
            shares[row], n_draws[row] = np.bincount(drawn, minlength=n_kinds) / len(drawn), len(drawn)
            for half in (0, 1):
                if len(part := drawn[half::2]):
                    halves[row, half] = np.bincount(part, minlength=n_kinds) / len(part)
        return cls(shares, n_draws, halves)

    def take(self, rows: IntArray) -> Forecasts:
        """Return the forecasts of some moves."""
        return Forecasts(self.shares[rows], self.n_draws[rows], self.halves[rows])

    def brier(self, moves: IntArray) -> FloatArray:
        """Return the Brier score of each move: half the squared distance of its probabilities from what happened.

        For two kinds it is the square of how far the probability of one was off. The spread of the shares is taken
        out, so that the mean is that of the probabilities behind the draws; of one draw alone it is NaN.

        Source:
            Brier (1950), Verification of forecasts expressed in terms of probability, Monthly Weather Review 78;
            Ferro (2014), Fair scores for ensemble forecasts, Quarterly Journal of the Royal Meteorological Society 140.
        """
        happened = np.eye(self.shares.shape[1])[moves]
        off = ((self.shares - happened) ** 2).sum(1)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = (self.shares * (1 - self.shares)).sum(1) / (self.n_draws - 1)
        spread[self.n_draws < 2] = math.nan
        fair: FloatArray = np.round((off - spread) / 2, 12)  # what is 0 is told as 0
        return fair

    def accuracy(self, moves: IntArray) -> FloatArray:
        """Return how likely a draw is to be what happened."""
        found: FloatArray = self.shares[np.arange(len(moves)), moves]
        return found

    def binned(self, kind: int) -> tuple[IntArray, FloatArray, IntArray]:
        """Return rows for a calibration curve of one kind: the bin, what was forecast, and which move it is of.

        Bins hold about equally many moves, twenty or more. Each move with two draws or more is there twice: binned by
        either half of its draws, forecast by the other, so that noise does not look like overconfidence.
        """
        by, told = self.halves[:, :, kind].T.ravel(), self.halves[:, ::-1, kind].T.ravel()
        rows = np.flatnonzero(~np.isnan(by) & ~np.isnan(told))
        by, told = by[rows], told[rows]
        if not len(rows):
            return rows, told, rows
        n_bins = int(np.clip(len(np.unique(rows % len(self.shares))) // FEWEST, 1, N_BINS))
        edges = np.unique(np.quantile(by, np.arange(1, n_bins) / n_bins))
        # Moves that are forecast alike stay together: an edge belongs to the bin below it.
        bins = np.unique(np.searchsorted(edges, by, side="left"), return_inverse=True)[1]
        return bins.ravel(), told, rows % len(self.shares)


def base_rates(turns: IntArray, moves: IntArray, units: IntArray, n_kinds: int) -> Forecasts:
    """Forecast each move as other units made each kind at the same turn.

    A unit's own moves are left out. To those of a turn two imagined ones are added, at the rate of all turns. They are
    as many draws, so that the mean Brier score is that of the rates behind them: whoever knows these is no better.
    """
    happened = np.eye(n_kinds)[moves]
    n_turns, n_units = int(turns.max(initial=0)) + 1, int(units.max(initial=0)) + 1
    by_turn = np.zeros((n_turns, n_kinds))
    np.add.at(by_turn, turns, happened)
    by_unit = np.zeros((n_units, n_kinds))
    np.add.at(by_unit, units, happened)
    pairs, pair_of = np.unique(units * n_turns + turns, return_inverse=True)
    of_both = np.zeros((len(pairs), n_kinds))
    np.add.at(of_both, pair_of.ravel(), happened)
    others = happened.sum(0) - by_unit[units]
    overall = (others + 1) / (others.sum(1, keepdims=True) + n_kinds)
    here = by_turn[turns] - of_both[pair_of.ravel()]
    n_draws = here.sum(1) + STRENGTH
    rates = (here + STRENGTH * overall) / n_draws[:, None]
    return Forecasts(rates, n_draws, np.repeat(rates[:, None, :], 2, axis=1))


@dataclass(frozen=True)
class UnitMean:
    """The mean of values that hang together within units, with its standard error.

    Source:
        Liang and Zeger (1986), Longitudinal data analysis using generalized linear models, Biometrika 73.
    """

    estimate: float
    error: float
    n_units: int

    @classmethod
    def of(cls, values: FloatArray, units: IntArray) -> UnitMean:
        """Take the mean over values, shape (n,), of units that are numbered; NaN where there are fewer than two."""
        numbered = np.unique(units, return_inverse=True)[1].ravel()
        n_units = int(numbered.max(initial=-1)) + 1
        if n_units < 2:
            return cls(float(values.mean()) if len(values) else math.nan, math.nan, n_units)
        mean = float(values.mean())
        residual = np.bincount(numbered, values - mean)
        error = math.sqrt(n_units / (n_units - 1) * float(residual @ residual)) / len(values)
        return cls(mean, error, n_units)

    def half_width(self, level: float) -> float:
        """Return half of the interval at ``level``, by Student's t with one degree of freedom less than units."""
        from scipy.stats import t

        return float(t.ppf((1 + level) / 2, self.n_units - 1)) * self.error

    def p_above(self, value: float = 0.0) -> float:
        """Return the p-value of H0 "the mean is at most ``value``"."""
        from scipy.stats import t

        if self.error == 0:
            return float(self.estimate <= value)
        return float(t.sf((self.estimate - value) / self.error, self.n_units - 1))

    def p_below(self, value: float = 0.0) -> float:
        """Return the p-value of H0 "the mean is at least ``value``"."""
        return UnitMean(-self.estimate, self.error, self.n_units).p_above(-value)


@dataclass(frozen=True)
class CalibrationError:
    """How far forecasts are from what happens where they are made: the mean distance over bins, and over kinds.

    The distance of bins is above 0 by chance alone, and more so of those drawn anew. So the upper limit is that of what
    was drawn anew, which errs to the wide side, and the lower one lies as far below the estimate.

    Source:
        Naeini, Cooper and Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning, AAAI;
        Nixon et al. (2019), Measuring calibration in deep learning, CVPR Workshops (by class, bins of equal size).
    """

    estimate: float
    drawn: FloatArray
    """Shape (resamples,): of units drawn anew."""

    def upper(self, level: float) -> float:
        """Return the one-sided upper limit at ``level``."""
        return max(self.estimate, float(np.quantile(self.drawn, level)))

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the two-sided interval."""
        high = self.upper((1 + level) / 2)
        return max(0.0, 2 * self.estimate - high), high

    def p_beyond(self, margin: float) -> float:
        """Return the p-value of H0 "the calibration error is at most ``margin``"."""
        return (int((2 * self.estimate - self.drawn <= margin).sum()) + 1) / (len(self.drawn) + 1)


@dataclass(frozen=True)
class Drawn:
    """Units drawn anew, for the intervals of everything that is told of one set of moves."""

    units: IntArray
    """Shape (moves,): the unit of each, from 0."""
    weights: Weights
    """Shape (units, resamples)."""

    @classmethod
    def of(cls, units: IntArray, rng: Generator, n_resamples: int = N_RESAMPLES) -> Drawn:
        """Draw as many units as there are with replacement."""
        return cls(units, draw_units(int(units.max(initial=-1)) + 1, n_resamples, rng))

    @cached_property
    def _n_units(self) -> int:
        return len(self.weights)

    def _sums(self, values: FloatArray) -> FloatArray:
        """Return the sums of values over what was observed and over each resample; shape (1 + resamples,)."""
        by_unit = np.bincount(self.units, values, minlength=self._n_units)
        return np.concatenate([[by_unit.sum()], by_unit @ self.weights.astype(np.float64)])

    def mean(self, values: FloatArray, where: BoolArray) -> FloatArray:
        """Return the mean of values where that is asked, observed and resampled; NaN where a resample has none."""
        return self.ratio(np.where(where, values, 0.0), where.astype(np.float64))

    def ratio(self, above: FloatArray, below: FloatArray) -> FloatArray:
        """Return the ratio of two sums, observed and resampled; NaN where a resample has nothing below."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found: FloatArray = self._sums(above) / self._sums(below)
        return found

    def balanced(self, values: FloatArray, kinds: IntArray, where: BoolArray) -> FloatArray:
        """Return the mean over kinds of the mean of values within each kind that is there."""
        present = np.unique(kinds[where])
        means = np.stack([self.mean(values, where & (kinds == kind)) for kind in present])
        n_known = (~np.isnan(means)).sum(0)
        with np.errstate(invalid="ignore"):
            found: FloatArray = np.nansum(means, axis=0) / n_known
        return found

    def calibration_error(self, forecasts: Forecasts, moves: IntArray) -> CalibrationError | None:
        """Return the calibration error over all kinds; None where no forecast has two draws."""
        n_kinds = forecasts.shares.shape[1]
        kinds = range(n_kinds) if n_kinds > 2 else range(1)
        parts = []
        for kind in kinds:
            bins, told, rows = forecasts.binned(kind)
            if not len(rows):
                return None
            gaps = told - (moves[rows] == kind)
            of_unit = self.units[rows]
            total = np.zeros(1 + self.weights.shape[1])
            for number in range(int(bins.max()) + 1):
                inside = bins == number
                by_unit = np.bincount(of_unit[inside], gaps[inside], minlength=self._n_units)
                total += np.abs(np.concatenate([[by_unit.sum()], by_unit @ self.weights.astype(np.float64)]))
            count = np.bincount(of_unit, minlength=self._n_units).astype(np.float64)
            parts.append(total / np.concatenate([[count.sum()], count @ self.weights.astype(np.float64)]))
        errors = np.mean(parts, axis=0)
        return CalibrationError(float(errors[0]), errors[1:])


def limits(resampled: FloatArray, level: float = LEVEL) -> tuple[float, float] | None:
    """Return the percentile interval of what ``Drawn`` resampled; None where more than a tenth is undefined."""
    known = resampled[1:][~np.isnan(resampled[1:])]
    if len(known) < 0.9 * (len(resampled) - 1):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def estimate_of(resampled: FloatArray) -> Estimate:
    """Return what was observed, with the interval of what was drawn anew; nothing where it is undefined."""
    if np.isnan(resampled[0]):
        return Estimate()
    return Estimate(estimate=float(resampled[0]), interval=limits(resampled))
