"""All metrics of a ladder, tested and resampled together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import JsonValue

from convsim.metrics.expectations import expected_of
from convsim.schema import Metric
from convsim.schema.arrays import BoolArray, FloatArray
from convsim.seeds import generator
from convsim.stats.decision import EQUIVALENCE_LEVEL, MIN_UNITS, BoundedMean, spread_of
from convsim.stats.severity_levels import Ladder
from convsim.stats.slopes import Slopes, slope_contrast
from convsim_validators.dose_response.reaction import Reaction
from convsim_validators.dose_response.trend import Trends

if TYPE_CHECKING:
    from numpy.random import Generator

Limits = tuple[float, float]


@dataclass(frozen=True)
class Responses:
    """What the metrics of a ladder do, in the order of the table's columns."""

    reactions: Sequence[Reaction]
    slopes: Slopes
    trends: Trends
    sd: Sequence[float | None]
    """Standard deviation of the conversations at severity 0; None without two of them."""
    n_defined: Sequence[int]
    """Conversations on the ladder that have the metric."""
    joint: BoolArray
    """Shape (metrics,): which metrics the joint question is about."""

    @classmethod
    def of(
        cls,
        ladder: Ladder,
        values: FloatArray,
        *,
        metrics: Sequence[Metric],
        margin_sd: float,
        n_resamples: int,
        seed: int,
    ) -> Responses:
        """Measure every metric.

        Args:
            ladder: The ladder of ``values``.
            values: Shape (conversations, metrics), of the whole corpus.
            metrics: What the columns are.
            margin_sd: The margin in standard deviations at severity 0.
            n_resamples: Permutations, and replicates of the bootstrap.
            seed: Moves every draw.
        """
        cells = ladder.cells
        slopes = Slopes.of(
            cells, ladder.severities, n_resamples, generator(seed, "dose_response", "bootstrap")
        )
        varies = np.asarray([_varies(column) for column in cells.values.T], bool)
        judged = [not metric.no_reaction for metric in metrics]
        joint: BoolArray = np.asarray(judged) & varies & (slopes.n_units >= MIN_UNITS)
        rng = generator(seed, "dose_response", "trend")
        trends = Trends.of(cells, paired=ladder.paired, joint=joint, n_permutations=n_resamples, rng=rng)
        sd = [_spread(column[~np.isnan(column)]) for column in values[ladder.at_zero].T]
        draws = generator(seed, "dose_response", "equivalence")
        reactions = [
            Reaction(
                metric=metric,
                expected=expected_of(metric),
                test=trends.test,
                n_units=int(slopes.n_units[i]),
                varies=bool(varies[i]),
                slope=float(slopes.slopes[i]),
                interval=slopes.interval(i, 0.95),
                equivalence=_equivalence(ladder, slopes, metric, i, rng=draws),
                margin=margin_sd * spread if (spread := sd[i]) else None,
                p_value=float(trends.p_values[i]),
                z=float(trends.z[i]),
            )
            for i, metric in enumerate(metrics)
        ]
        n_defined = (~np.isnan(values[ladder.rows])).sum(axis=0)
        return cls(reactions, slopes, trends, sd, n_defined.tolist(), joint)

    def describe(self, column: int, ladder: Ladder) -> dict[str, JsonValue]:
        """Return the details of one metric's finding."""
        reaction = self.reactions[column]
        n_steps = len(ladder.severities)
        equivalence = reaction.equivalence
        return {
            "role": "metric" if reaction.expected else "control",
            "severities": ladder.severities.tolist(),
            "means": [_number(mean) for mean in self.slopes.means[:, column]],
            "mean_intervals": [
                list(limits) if (limits := self.slopes.mean_interval(step, column, 0.95)) else None
                for step in range(n_steps)
            ],
            "n_personas": reaction.n_units,
            "n_conversations": list(ladder.n_conversations),
            "test": reaction.test,
            "statistic": float(self.trends.statistics[column]) if reaction.measurable else None,
            "z": reaction.z if reaction.measurable else None,
            "equivalence_interval": list(equivalence) if equivalence else None,
            "margin": reaction.margin,
            "sd": self.sd[column],
            "expected": reaction.expected.direction if reaction.expected else None,
            "expected_source": reaction.expected.source if reaction.expected else None,
            "metric_unit": reaction.metric.unit,
        }


def _equivalence(
    ladder: Ladder, slopes: Slopes, metric: Metric, column: int, *, rng: Generator
) -> Limits | None:
    """Return a slope's 90 % interval; of units seen at every severity, with an imagined persona at either bound."""
    if not ladder.paired:
        return slopes.interval(column, EQUIVALENCE_LEVEL)
    severities = ladder.severities
    blocks = ladder.cells.values[:, column].reshape(-1, len(severities))
    contrast = slope_contrast(severities)
    of_units = blocks @ contrast
    of_units = of_units[~np.isnan(of_units)]
    if not len(of_units):
        return None
    bound = spread_of(metric, blocks) * float(contrast[contrast > 0].sum())
    return BoundedMean.of(of_units, bound, len(slopes.resampled), rng).interval(EQUIVALENCE_LEVEL)


def _varies(values: FloatArray) -> bool:
    return len(np.unique(values[~np.isnan(values)])) > 1


def _spread(values: FloatArray) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
