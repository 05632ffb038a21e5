"""What people can decide of habits before anything is simulated: the power of each metric, and of all together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from convsim.schema import Corpus, Needs, PlannedFinding
from convsim.schema.arrays import IntArray
from convsim.seeds import generator
from convsim.stats.contrasts import Contrast, Contrasts
from convsim.stats.equivalence import Margins, Precision, normal_quantile, power_at_equality, rare_half_width
from convsim.stats.joint_equivalence import JointRule, joint_power, metric_weights
from convsim.stats.planning import Curve, as_if_simulated, smallest
from convsim.stats.resampling import Design
from convsim_validators.metric_tests import all_metrics
from convsim_validators.metric_tests.column import MIN_UNITS, Column

VALIDATOR = "marginals"
QUESTION = "Are simulated shoppers like people in their habits, all metrics together?"
MARGIN_OF = "Cliff's delta"
JOINT_MARGIN_OF = "root mean square of Cliff's delta over metrics"
N_DRAWS = 400
HOW = (
    "from how people's users vary, in location and in spread; the simulated conversations are taken to be independent "
    "and distributed as people's"
)
HOW_TOGETHER = (
    "from how people's habits vary together; no metric is then far off but by chance, which is not counted"
)


@dataclass(frozen=True)
class Habits:
    """People's habits held against themselves, as if the second side were a simulator's."""

    real: Corpus
    design: Design
    columns: dict[str, Column]
    """Of the judged metrics."""
    margins_of: Callable[[str], Margins]
    rule: JointRule
    source: str

    @classmethod
    def of(cls, real: Corpus, margins_of: Callable[[str], Margins], rule: JointRule, source: str) -> Habits:
        """Measure people against themselves."""
        simulated = as_if_simulated(real)
        design = Design.of(real, simulated)
        judged = [name for name, metric in real.metrics.items() if metric.role == "metric"]
        columns = {name: Column.of(real, simulated, name, design) for name in judged}
        return cls(real, design, columns, margins_of, rule, source)

    def plan(self, n_simulated: Sequence[int], seed: int) -> Iterator[PlannedFinding]:
        """Yield what is planned of each metric, then of all together."""
        contrasts = {
            name: Contrast.of(column.real, column.simulated)
            for name, column in self.columns.items()
            if self._why_not(name) is None
        }
        for name in self.columns:
            yield self._of_metric(name, contrasts.get(name), n_simulated)
        yield self._of_all(contrasts, n_simulated, seed)

    @property
    def _strata(self) -> tuple[IntArray, IntArray]:
        return self.design.real.stratum_of, self.design.simulated.stratum_of

    @property
    def _n(self) -> tuple[int, int]:
        """Conversations: with as many, the simulated side would vary as people do by conversation."""
        return len(self.real), len(self.real)

    def _why_not(self, name: str) -> str | None:
        """Say why nothing can be told of a metric, if so."""
        if name in self.real.undefined:
            return f"undefined: {self.real.undefined[name]}"
        column = self.columns[name]
        if not column.n_real:
            return "not recorded in these conversations"
        if column.n_units[0] < MIN_UNITS:
            return (
                f"{column.n_units[0]} users or conversations have this metric, and {MIN_UNITS} are needed to tell how "
                "it varies"
            )
        return None

    def _of_metric(self, name: str, contrast: Contrast | None, n_simulated: Sequence[int]) -> PlannedFinding:
        column, margins = self.columns[name], self.margins_of(name)
        found = PlannedFinding(
            validator=VALIDATOR,
            metric=name,
            question=f"Do simulated shoppers and people differ in {name}?",
            verdicts=("aligned",),
            margin=margins.delta,
            margin_of=MARGIN_OF,
            n_real=column.n_real,
            n_units_real=column.n_units[0],
            reason=self._why_not(name) or HOW,
            source=self.source,
        )
        if contrast is None:
            return found.but(needs=_to(MIN_UNITS, column.n_units[0]) if column.n_real else None)
        precision = Precision.of(contrast, self._strata, self._n)
        z = normal_quantile(1 - self.rule.alpha)
        most_common = float(column.real.counts.max() / column.n_real)
        effective = _effective_units(column, most_common)
        two_valued, units_each = column.two_valued, column.n_units[0] / self._n[0]

        def power(n_real: int, n_simulated: int, within: Margins = margins) -> float:
            units = (n_real * units_each, n_simulated * column.n_real / self._n[0])
            if min(units) < MIN_UNITS:
                return 0.0
            return power_at_equality(
                precision.at(n_real, n_simulated), within, z=z, two_valued=two_valued,
                least=rare_half_width(most_common, (effective * n_real / self._n[0], units[1]), z),
            )  # fmt: skip

        def smallest_margin(n: int) -> float | None:
            if margins.delta == 0:
                return None
            return smallest(lambda delta: power(self._n[0], n, _scaled(margins, delta / margins.delta)), 1.0)

        curve = Curve.of(power, self._n[0], n_simulated, smallest_margin=smallest_margin)
        return found.but(at=curve.at, needs=curve.needs, pays_up_to=curve.pays_up_to)

    def _of_all(
        self, contrasts: dict[str, Contrast], n_simulated: Sequence[int], seed: int
    ) -> PlannedFinding:
        n_units = self.design.real.n_units
        found = PlannedFinding(
            validator=VALIDATOR,
            metric=all_metrics.NAME,
            question=QUESTION,
            verdicts=("aligned",),
            margin=self.rule.margin,
            margin_of=JOINT_MARGIN_OF,
            n_real=self._n[0],
            n_units_real=n_units,
            reason=HOW_TOGETHER,
            source=self.source,
        )
        if len(contrasts) < all_metrics.MIN_METRICS:
            few = n_units < MIN_UNITS
            why = f"{n_units} users or conversations" if few else f"{len(contrasts)} metrics"
            return found.but(
                reason=f"{why} are too few to tell how habits vary together",
                needs=_to(all_metrics.MIN_PEOPLE, n_units) if few else None,
            )
        together = Contrasts(tuple(contrasts), contrasts, self._strata)
        people, simulated = together.covariances_at_equality
        weights = metric_weights(together)

        def power(n_real: int, n_simulated: int, within: JointRule = self.rule) -> float:
            if min(n_units * n_real / self._n[0], n_simulated) < all_metrics.MIN_PEOPLE:
                return 0.0
            covariance = people * self._n[0] / n_real + simulated * self._n[1] / n_simulated
            draws = generator(seed, VALIDATOR, "plan", "power")
            return joint_power(covariance, weights, within, n_draws=N_DRAWS, rng=draws)

        curve = Curve.of(
            power,
            self._n[0],
            n_simulated,
            smallest_margin=lambda n: smallest(
                lambda margin: power(self._n[0], n, self.rule.at(margin)), 1.0
            ),
        )
        return found.but(at=curve.at, needs=curve.needs, pays_up_to=curve.pays_up_to)


def _effective_units(column: Column, most_common: float) -> float:
    """Return how many resampling units people are worth in how often the most common value comes."""
    by_unit = column.real.by_unit
    common = np.asarray(by_unit[[int(column.real.counts.argmax())]].toarray(), np.float64).ravel()
    held = np.asarray(by_unit.sum(axis=0), np.float64).ravel()
    variance = float((((common - most_common * held) / column.n_real) ** 2).sum())
    return most_common * (1 - most_common) / variance if variance > 0 else float(column.n_units[0])


def _scaled(margins: Margins, factor: float) -> Margins:
    return Margins(margins.delta * factor, margins.spread * factor, margins.ks * factor)


def _to(least: int, n_units: int) -> Needs:
    """Return how many more people make the least number that tells anything."""
    return Needs(side="people", more=least - n_units)
