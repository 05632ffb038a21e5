"""One metric of both sides: its defined values, the cells they lie in, and what resampling says of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from convsim.schema import Corpus, HumanBaseline
from convsim.schema.arrays import FloatArray, IntArray
from convsim.stats.contrasts import Contrast, centred
from convsim.stats.ecdf import Cells, cells_of_sides, superiority
from convsim.stats.equivalence import Margins, Precision, location_limit, normal_quantile
from convsim.stats.multiplicity import permutation_p_value
from convsim.stats.resampling import Design, Weights, weighed
from convsim.stats.variance_components import Sizes, VarianceComponents
from convsim_validators.metric_tests.kolmogorov_smirnov import Distributions, Resamples, distance, statistic

QUANTILES = np.arange(1, 40) / 40
"""Where distribution functions are looked at to tell how precise they are."""
MIN_UNITS = 8
"""Fewer resampling units on either side decide nothing."""


@dataclass(frozen=True)
class Dealt:
    """How far apart the sides lie as they are, which stands first, and when they are dealt anew."""

    distances: FloatArray
    """Shape (1 + permutations,): the Kolmogorov-Smirnov distance over the standard error of distribution functions."""
    deltas: FloatArray
    """Shape (1 + permutations,): Cliff's delta over that of mean ranks."""


def _positive(errors: FloatArray) -> FloatArray:
    return np.where(errors > 0, errors, np.inf)


@dataclass(frozen=True)
class Column:
    """One metric of both sides: its defined values, and the cells they lie in by unit."""

    values: tuple[FloatArray, FloatArray]
    undefined: tuple[int, int]
    n_units: tuple[int, int]
    real: Cells
    simulated: Cells

    @classmethod
    def of(cls, real: Corpus, simulated: Corpus, name: str, design: Design) -> Column:
        """Take one column of both tables and put its defined values into cells."""
        raw = [np.asarray(corpus.table[name], np.float64) for corpus in (real, simulated)]
        return cls.of_values((raw[0], raw[1]), design)

    @classmethod
    def of_values(cls, raw: tuple[FloatArray, FloatArray], design: Design) -> Column:
        """Put both sides' values, shape (conversations,), into cells; NaN is left out."""
        kept = [~np.isnan(values) for values in raw]
        values = [column[keep] for column, keep in zip(raw, kept, strict=True)]
        units = [side.unit_of[keep] for side, keep in zip((design.real, design.simulated), kept, strict=True)]
        return cls(
            (values[0], values[1]),
            (int((~kept[0]).sum()), int((~kept[1]).sum())),
            (len(np.unique(units[0])), len(np.unique(units[1]))),
            *cells_of_sides(raw, design),
        )

    @property
    def n_real(self) -> int:
        """Real conversations in which the metric is defined."""
        return len(self.values[0])

    @property
    def n_simulated(self) -> int:
        """Simulated conversations in which the metric is defined."""
        return len(self.values[1])

    @property
    def measurable(self) -> bool:
        """Whether both sides have a value at all."""
        return min(self.n_real, self.n_simulated) > 0

    @property
    def two_valued(self) -> bool:
        """Whether all values are one of two."""
        return len(self.real.counts) <= 2

    @property
    def distance(self) -> float:
        """The exact Kolmogorov-Smirnov distance."""
        return statistic(*self.values)

    def dealt(self, weights: Weights) -> Dealt:
        """Compare the sides under permuted memberships, shape (units, dealings)."""
        from scipy.sparse import hstack

        by_unit = hstack([self.real.by_unit, self.simulated.by_unit]).tocsr()
        everything = self.real.counts + self.simulated.counts
        now_real = weighed(by_unit, weights)
        sides = now_real, everything[:, None] - now_real
        up_to = np.cumsum(everything) / everything.sum()
        rank = up_to - everything / everything.sum() / 2
        at = np.unique(np.searchsorted(up_to, QUANTILES * up_to[-1]))
        sizes = np.asarray(by_unit.sum(axis=0), np.float64).ravel()
        of_sides = Sizes.of(sizes, weights)

        def errors(score: FloatArray) -> FloatArray:
            """Shape (1 + permutations,): over the scores of cells, shape (cells, scores), their mean in squares."""
            mean_square = everything @ score**2 / everything.sum()
            components = VarianceComponents.of(np.asarray(by_unit.T @ score), sizes, mean_square)
            return np.asarray(np.sqrt((components.errors_of(of_sides) ** 2).mean(axis=0)))

        below = (np.arange(len(everything))[:, None] <= at).astype(np.float64)
        return Dealt(
            distance(*sides) / _positive(errors(below)),
            superiority(*sides) / _positive(errors(rank[:, None])),
        )

    def describe(self) -> dict[str, JsonValue]:
        """Return summaries, Mann-Whitney U, Cliff's delta (positive if simulated is larger) and Wasserstein."""
        from scipy.stats import rankdata, wasserstein_distance

        details: dict[str, JsonValue] = {
            "real": _summary(self.values[0]),
            "simulated": _summary(self.values[1]),
            "n_undefined_real": self.undefined[0],
            "n_undefined_simulated": self.undefined[1],
        }
        if self.measurable:
            ranks = rankdata(np.concatenate(self.values))
            u = float(ranks[: self.n_real].sum()) - self.n_real * (self.n_real + 1) / 2
            of_people = spread(self.values[0])
            with np.errstate(over="ignore"):
                moved = float(wasserstein_distance(*self.values))
            details["mann_whitney_u"] = u
            details["cliffs_delta"] = 1 - 2 * u / (self.n_real * self.n_simulated)
            details["wasserstein"] = _finite(moved / of_people) if of_people else None
        return details


@dataclass(frozen=True)
class Limits:
    """How far the populations may lie apart at most, each at its own error rate."""

    delta: float
    spread: float | None
    """None of a metric with two values, which has no spread beside how often each comes."""
    ks: float

    def inside(self, margins: Margins) -> bool:
        """Whether all three are shown to lie within their margins."""
        spread = 0.0 if self.spread is None else self.spread
        return self.delta <= margins.delta and spread <= margins.spread and self.ks <= margins.ks

    def named(self) -> dict[str, JsonValue]:
        """Return them by name."""
        return {"cliffs_delta": self.delta, "spread": self.spread, "ks": self.ks}


@dataclass(frozen=True)
class Sample:
    """What resampling says of one metric."""

    interval: tuple[float, float]
    limits: Limits
    contrast: Contrast
    precision: Precision
    dealt: Dealt
    baseline: HumanBaseline
    delta_interval: tuple[float, float]

    @classmethod
    def of(
        cls,
        column: Column,
        sample: Resamples,
        *,
        groups: tuple[FloatArray, FloatArray],
        dealt: Dealt,
        strata: tuple[IntArray, IntArray],
        alpha: float,
    ) -> Sample:
        """Summarise resampled counts: of two groups of people, and of sides dealt anew under the null.

        Args:
            column: The metric.
            sample: Counts of its cells, observed and resampled.
            groups: Those of two groups of people.
            dealt: The sides dealt anew.
            strata: The stratum of each unit, by side.
            alpha: The error rate of each limit.
        """
        distributions = Distributions.of(sample, column.n_units)
        human = distance(*groups)
        contrast = Contrast.of(column.real, column.simulated)
        sides = zip(contrast.influence, strata, strict=True)
        errors = np.sqrt(sum((centred(side, of_unit) ** 2).sum(axis=0) for side, of_unit in sides))
        z = normal_quantile(1 - alpha)
        low, high = (
            float(contrast.estimates[0] + sign * normal_quantile(0.975) * errors[0]) for sign in (-1, 1)
        )
        spread = None if column.two_valued else abs(float(contrast.estimates[1])) + z * float(errors[1])
        return cls(
            interval=distributions.confidence_limits(level=0.95),
            limits=Limits(
                location_limit(
                    contrast,
                    float(errors[0]),
                    z=z,
                    **distributions.most_common(sample.real, sample.simulated),
                ),
                spread,
                distributions.confidence_limits(level=1 - 2 * alpha)[1],
            ),
            contrast=contrast,
            precision=Precision.of(contrast, strata, (column.n_real, column.n_simulated)),
            dealt=dealt,
            baseline=HumanBaseline(mean=float(human.mean()), q95=float(np.quantile(human, 0.95))),
            delta_interval=(max(-1.0, low), min(1.0, high)),
        )

    @property
    def delta(self) -> float:
        """Cliff's delta."""
        return float(self.contrast.estimates[0])

    @property
    def p_value(self) -> float:
        """Of the distance alone, before it is corrected for the other metrics."""
        return permutation_p_value(float(self.dealt.distances[0]), self.dealt.distances[1:])

    def describe(self, margins: Margins, *, tested: bool) -> dict[str, JsonValue]:
        """Return what resampling says beside the Kolmogorov-Smirnov distance."""
        apart = np.abs(self.dealt.deltas)
        return {
            "equivalence_upper": self.limits.ks,
            "limits": self.limits.named(),
            "spread_score": float(self.contrast.estimates[1]),
            "cliffs_delta_interval": list(self.delta_interval),
            "cliffs_delta_p_value": permutation_p_value(float(apart[0]), apart[1:]) if tested else None,
            "cliffs_delta_inside_margin": max(map(abs, self.delta_interval)) <= margins.delta,
        }


def _summary(values: FloatArray) -> JsonValue:
    if not len(values):
        return {"mean": None, "sd": None, "median": None}
    return {"mean": mean(values), "sd": spread(values), "median": float(np.median(values))}


def mean(values: FloatArray) -> float | None:
    """Return the mean; None where it is too large for a number."""
    with np.errstate(over="ignore"):
        return _finite(float(values.mean()))


def spread(values: FloatArray) -> float | None:
    """Return the standard deviation; None of a single value, and where it is too large for a number."""
    with np.errstate(over="ignore"):
        return _finite(float(values.std(ddof=1))) if len(values) > 1 else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
