"""Which of several simulators has habits closest to people's, over the metrics that all of them have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from convsim.schema import Corpus, SimulatorScore
from convsim.schema.arrays import FloatArray
from convsim.schema.corpus import refused_labels
from convsim.seeds import child_seed, generator
from convsim.stats.ecdf import cumulative
from convsim.stats.resampling import (
    Design,
    Side,
    Weights,
    bootstrap,
    bootstrap_at_size,
    permute,
)
from convsim_validators.metric_tests.column import MIN_UNITS, Column
from convsim_validators.metric_tests.kolmogorov_smirnov import Deviations, distance

N_SUBSETS = 200
"""Subsets over which a larger simulator's distance is averaged; their noise is far below the sampling error."""


@dataclass(frozen=True)
class MeanDistance:
    """The mean over metrics of a simulator's Kolmogorov-Smirnov distances, and what resampling says of it."""

    columns: Mapping[str, Column]
    resampled: FloatArray
    """Shape (replicates,): the mean distance when units of people and of the simulator are drawn with replacement."""
    deviations: Deviations
    """Means over metrics."""
    baseline: FloatArray
    """Shape (replicates,): the mean distance of two human groups of the two sides' sizes."""
    seed: int

    @classmethod
    def of(
        cls,
        columns: Mapping[str, Column],
        drawn: tuple[Weights, Weights],
        groups: tuple[Weights, Weights],
        *,
        seed: int,
    ) -> MeanDistance:
        """Resample all metrics with the same draws, so that what metrics share stays shared.

        Args:
            columns: At least one, each measurable.
            drawn: How often each unit of people and of the simulator is drawn.
            groups: How often each human unit is drawn into two groups of the sides' sizes.
            seed: Of the subsets.
        """
        resampled, near, at, baseline = np.zeros((4, drawn[0].shape[1]))
        for column in columns.values():
            difference = cumulative(column.real.counts) - cumulative(column.simulated.counts)
            now = cumulative(column.real.resampled(drawn[0])) - cumulative(
                column.simulated.resampled(drawn[1])
            )
            deviations = Deviations.of(difference, now - difference[:, None])
            resampled += np.abs(now).max(axis=0)
            near += deviations.near_largest
            at += deviations.at_largest
            baseline += distance(column.real.resampled(groups[0]), column.real.resampled(groups[1]))
        n = len(columns)
        return cls(columns, resampled / n, Deviations(near / n, at / n), baseline / n, seed)

    @property
    def estimate(self) -> float:
        """The mean of the exact distances."""
        return float(np.mean([column.distance for column in self.columns.values()]))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """How far apart may the populations be, on average over metrics?

        The estimate is biased upwards: a perfect simulator has the human baseline's mean, not 0. The lower limit takes
        that out, by the means over metrics of the bootstrapped processes at near-extremal points. The upper one takes
        nothing out and so is cautious: each distance is at least the difference at the point where the populations'
        largest stands, whose deviations are those at a point.

        Source:
            Fang and Santos (2019), Inference on directionally differentiable functions, Review of Economic Studies 86;
            see ``confidence_limits``. Coverage is shown in tests/calibration: .95 to 1.
        """
        tail = (1 - level) / 2
        low = self.estimate - float(np.quantile(self.deviations.near_largest, 1 - tail))
        high = self.estimate - float(np.quantile(self.deviations.at_largest, tail))
        return max(0.0, low), min(1.0, max(high, self.estimate))

    def at_size(self, metric: str, n_units: int) -> float:
        """Return the distance that ``n_units`` of the simulator's units have on average, over subsets of them."""
        column = self.columns[metric]
        has = np.flatnonzero(np.asarray(column.simulated.by_unit.sum(axis=0)).ravel())
        if n_units >= len(has):
            return column.distance
        weights = np.zeros((column.simulated.by_unit.shape[1], N_SUBSETS), np.float32)
        one_stratum = np.zeros(len(has), np.int64)
        rng = generator(self.seed, "subsets", metric)
        weights[has] = permute(one_stratum, np.arange(len(has)) < n_units, N_SUBSETS, rng)
        return float(distance(column.real.counts[:, None], column.simulated.resampled(weights)).mean())


def difference(
    first: MeanDistance, second: MeanDistance, level: float = 0.95
) -> tuple[float, tuple[float, float]]:
    """Is the first simulator further from people than the second, on average over metrics?

    A Kolmogorov-Smirnov distance grows as samples shrink: of two perfect simulators, 40 conversations lie .06 further
    from 250 people than 150 do. So each metric of the larger simulator is read at the smaller one's number of units,
    averaged over subsets (without replacement: an unbiased estimate of what as few units show on average). Two
    simulators of one distribution then have an expected difference of exactly 0 at any two sizes. Taking each one's
    human baseline off instead would take too much off: the bias of a distance well above the baseline is far smaller.

    The interval is Student's with the smaller simulator's degrees of freedom; its standard error is that of a joint
    bootstrap, in which the pair shares the people's draw. It covers the difference that simulators have on average
    *at these sizes*. Two populations that are equally far, the one much in few metrics and the other a little in many,
    still differ by what bias of the former's small distances is left (.02 at 150 units). At equality with people the
    interval is cautious. Several pairs are not corrected for one another.

    Args:
        first: Of the same people, metrics and replicates as ``second``.
        second: The other simulator.
        level: Confidence of the two-sided interval.

    Returns:
        The difference, above 0 if ``first`` is further from people, and its interval.

    Source:
        Hoeffding (1948), A class of statistics with asymptotically normal distribution (the mean over subsets);
        coverage is shown in tests/calibration.
    """
    from scipy.stats import t

    gaps, sizes = [], []
    for metric, column in first.columns.items():
        n_units = min(column.n_units[1], second.columns[metric].n_units[1])
        sizes.append(n_units)
        gaps.append(first.at_size(metric, n_units) - second.at_size(metric, n_units))
    estimate = float(np.mean(gaps))
    error = float((first.resampled - second.resampled).std(ddof=1))
    reach = float(t.ppf((1 + level) / 2, min(sizes) - 1)) * error
    return estimate, (max(-1.0, estimate - reach), min(1.0, estimate + reach))


UNIT = "mean KS distance"


@dataclass(frozen=True)
class MeanDistances:
    """What could be measured of several simulators, and why the others could not."""

    real: Corpus
    simulated: Mapping[str, Corpus]
    metrics: list[str]
    """The same for all: of role "metric", labels of one source, and at least ``MIN_UNITS`` units a side have it."""
    distances: dict[str, MeanDistance]
    unmeasured: dict[str, str]
    """Reasons, by simulator."""

    @classmethod
    def of(
        cls, real: Corpus, simulated: Mapping[str, Corpus], *, n_resamples: int, seed: int
    ) -> MeanDistances:
        """Measure each simulator against the same draws of people.

        A simulator with too few units, or without any metric that can be measured, takes no part in the choice of
        metrics, so that it costs the others nothing.
        """
        columns: dict[str, dict[str, Column]] = {}
        unmeasured: dict[str, str] = {}
        sides: dict[str, Side] = {}
        for name, corpus in simulated.items():
            n_units = [len(np.unique(side.units.astype(str))) for side in (real, corpus)]
            if min(n_units) < MIN_UNITS:
                unmeasured[name] = (
                    f"{n_units[0]} real and {n_units[1]} simulated users or conversations; at least {MIN_UNITS} on "
                    "each side are needed"
                )
                continue
            design = Design.of(real, corpus)
            sides[name], columns[name] = design.simulated, _usable(real, corpus, design)
            if not columns[name]:
                del columns[name]
                unmeasured[name] = f"no metric has at least {MIN_UNITS} users or conversations on each side"
        metrics = [m for m in real.metrics if columns and all(m in usable for usable in columns.values())]
        if not metrics:
            nothing = f"no metric has at least {MIN_UNITS} users or conversations of every simulator"
            return cls(real, simulated, [], {}, dict.fromkeys(columns, nothing) | unmeasured)
        people = Design.of(real, real).real
        real_drawn = bootstrap(people, n_resamples, generator(seed, "bootstrap", "real"))
        distances = {}
        for name, usable in columns.items():
            own = child_seed(seed, "simulator", name)
            sizes = (people.n_units, sides[name].n_units)
            groups = [
                bootstrap_at_size(people, n, n_resamples, generator(own, "floor", group))
                for n, group in zip(sizes, ("first", "second"), strict=True)
            ]
            distances[name] = MeanDistance.of(
                {metric: usable[metric] for metric in metrics},
                (real_drawn, bootstrap(sides[name], n_resamples, generator(own, "bootstrap"))),
                (groups[0], groups[1]),
                seed=own,
            )
        return cls(real, simulated, metrics, distances, unmeasured)

    def scores(self, say: Callable[..., SimulatorScore]) -> Iterator[SimulatorScore]:
        """Yield `mean_distance` of each simulator, then `mean_distance_difference` of each ordered pair.

        Args:
            say: Makes a score of what is given here; the validator, its version, source and seed are filled in.
        """
        sizes = {
            name: {"n_real": len(self.real), "n_simulated": len(c)} for name, c in self.simulated.items()
        }
        for name in self.simulated:
            said = {
                "metric": "mean_distance",
                "question": "How far are the simulator's habits from people's, on average over metrics?",
                "simulator": name,
                "unit": UNIT,
            }
            yield say(**said, **sizes[name], **self._mean_distance(name))
        for name, against in permutations(self.simulated, 2):
            said = {
                "metric": "mean_distance_difference",
                "question": "Are the simulator's habits further from people's than the other simulator's?",
                "simulator": name,
                "against": against,
                "unit": UNIT,
            }
            yield say(**said, **sizes[name], **self._difference(name, against))

    def _mean_distance(self, name: str) -> dict[str, object]:
        if name in self.unmeasured:
            return {"reason": self.unmeasured[name], "details": {"metrics": [], "noise_floor": None}}
        measured = self.distances[name]
        mean, q95 = float(measured.baseline.mean()), float(np.quantile(measured.baseline, 0.95))
        return {
            "estimate": measured.estimate,
            "interval": measured.interval(),
            "reason": f"mean over {len(self.metrics)} metrics; two groups of people of these sizes differ by "
            f"{mean:.3f} on average, and by less than {q95:.3f} in 95 of 100 cases",
            "details": {"metrics": list(self.metrics), "noise_floor": {"mean": mean, "q95": q95}},
        }

    def _difference(self, name: str, against: str) -> dict[str, object]:
        for which, simulator in (("the simulator", name), ("the other simulator", against)):
            if simulator in self.unmeasured:
                return {"reason": f"{which}: {self.unmeasured[simulator]}", "details": {"metrics": []}}
        first, second = self.distances[name], self.distances[against]
        estimate, (low, high) = difference(first, second)
        verdict = (
            "needs more data: the 95 % interval contains 0, so neither is shown to be further from people"
            if low <= 0 <= high
            else f"the simulator is {'further from' if low > 0 else 'closer to'} people than the other"
        )
        return {
            "estimate": estimate,
            "interval": (low, high),
            "reason": f"{verdict}; both are measured at the smaller one's sample size",
            "details": {"metrics": list(self.metrics), "at_own_sizes": first.estimate - second.estimate},
        }


def _usable(real: Corpus, simulated: Corpus, design: Design) -> dict[str, Column]:
    refused = refused_labels(real, simulated)
    names = [
        name
        for name, metric in real.metrics.items()
        if metric.role == "metric" and name in simulated.metrics and name not in refused
    ]
    columns = {name: Column.of(real, simulated, name, design) for name in names}
    return {name: column for name, column in columns.items() if min(column.n_units) >= MIN_UNITS}
