"""How one metric changes with one fault within the same personas, and what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from convsim.schema import Metric
from convsim.schema.arrays import FloatArray
from convsim.stats.decision import BoundedMean, is_bounded, spread_of
from convsim.stats.permutation import relabelled
from convsim.stats.resampling import draw_units
from convsim.stats.severity_levels import Cells, Ladder
from convsim.stats.slopes import expanded_percentiles, slope_contrast

if TYPE_CHECKING:
    from numpy.random import Generator

MARGIN_OF_RANGE = 0.05
"""Of a share, or of a label's scale: a smaller change is none."""
MARGIN_SD = 0.2
"""Of the standard deviation at severity 0, for a metric without known bounds."""


@dataclass(frozen=True)
class PairedChange:
    """One number a unit: its value at the highest severity less that at 0, or its slope over severities."""

    of_unit: FloatArray
    """Shape (units,)."""
    n_personas: int
    """Personas that have the metric wherever it is compared; several of one user are one unit."""
    rates: tuple[float | None, float | None]
    """Means over units at severity 0 and at the highest severity; None where that is not compared."""
    bound: float
    """How large a change can be; 0 where the metric takes one value throughout and its bounds are not known."""
    default_margin: float
    mean: BoundedMean
    exchanged: FloatArray
    """Shape (permutations,): the mean change where each unit's severities are dealt anew."""
    resampled: FloatArray
    """Shape (replicates,): the mean change of units drawn with replacement."""

    @classmethod
    def of(
        cls,
        ladder: Ladder,
        metric: Metric,
        values: FloatArray,
        *,
        compare: Literal["highest", "slope"],
        n_resamples: int,
        rng: Generator,
    ) -> PairedChange | None:
        """Compare within personas; None where no persona has the metric at all severities compared.

        Args:
            ladder: Of one metric.
            metric: What it is.
            values: Shape (conversations,), of the whole corpus.
            compare: The highest severity against severity 0, or the slope over all of them.
            n_resamples: Permutations, replicates and draws.
            rng: Moves them.
        """
        steps = np.arange(len(ladder.severities)) if compare == "slope" else np.asarray([0, -1])
        contrast = slope_contrast(ladder.severities) if compare == "slope" else np.asarray([-1.0, 1.0])
        of_personas = ladder.values[:, steps, 0]
        complete = np.asarray(~np.isnan(of_personas).any(axis=1), bool)
        of_units = ladder.over_units(np.where(complete[:, None], of_personas, np.nan))
        of_units = of_units[~np.isnan(of_units).any(axis=1)]
        if not len(of_units):
            return None
        cells = Cells(
            np.repeat(np.arange(len(of_units)), len(steps)),
            np.tile(np.arange(len(steps)), len(of_units)),
            of_units.reshape(-1, 1),
            len(of_units),
        )
        blocks = relabelled(cells, n_resamples, rng)
        exchanged = [contrast[levels] @ cells.values[:, 0] / len(of_units) for levels in blocks]
        changes = of_units @ contrast
        weights = draw_units(len(changes), n_resamples, rng)
        spread = spread_of(metric, values[ladder.rows])
        bound = spread * float(contrast[contrast > 0].sum())
        return cls(
            changes,
            int(complete.sum()),
            (float(of_units[:, 0].mean()), float(of_units[:, -1].mean())),
            bound,
            MARGIN_OF_RANGE * spread if is_bounded(metric) else MARGIN_SD * _sd(values[ladder.at_zero]),
            BoundedMean.of(changes, bound, n_resamples, rng),
            np.concatenate(exchanged),
            np.asarray(weights.T @ changes, np.float64) / len(changes),
        )

    @property
    def n_units(self) -> int:
        """Independent units compared."""
        return len(self.of_unit)

    @property
    def estimate(self) -> float:
        """The mean change over units."""
        return float(self.of_unit.mean())

    def interval(self, level: float) -> tuple[float, float] | None:
        """Return the interval of the mean change, by resampling units."""
        return expanded_percentiles(self.resampled, self.n_units, level=level)

    def p_above(self, threshold: float) -> float:
        """Return the one-sided p of H0 "the mean change is at most ``threshold``".

        At 0, H0 says that severities are exchangeable within personas, and dealing them anew tests it exactly (with
        two severities: by flipping signs). At any other threshold they are not exchangeable: a rare reaction is all
        on one side, and flipped signs would reject far too often. There the bounded mean decides.
        """
        if threshold == 0:
            return self._extreme(self.exchanged >= self.estimate - 1e-9)
        return self.mean.p_above(threshold)

    def p_below(self, threshold: float) -> float:
        """Return the one-sided p of H0 "the mean change is at least ``threshold``"."""
        if threshold == 0:
            return self._extreme(self.exchanged <= self.estimate + 1e-9)
        return self.mean.p_below(threshold)

    @staticmethod
    def _extreme(found: np.ndarray) -> float:
        return (int(found.sum()) + 1) / (len(found) + 1)


def _sd(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else 0.0
