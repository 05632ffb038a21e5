"""Are the simulated shoppers' habits distributed as people's, metric by metric? (the paper's PLSA)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from convsim._settings import ResampleCount, check_settings
from convsim.schema import Corpus, Finding, HumanBaseline, Metric, SimulatorScore
from convsim.schema.arrays import FloatArray
from convsim.schema.corpus import refused_labels
from convsim.seeds import child_seed, generator
from convsim.stats.decision import Decision, Evidence, decide, grown
from convsim.stats.multiplicity import benjamini_hochberg
from convsim.stats.resampling import Design, bootstrap, bootstrap_at_size, permute
from convsim_validators.marginals.column import MIN_UNITS, Column, Sample
from convsim_validators.marginals.kolmogorov_smirnov import Resamples, distance
from convsim_validators.marginals.ranking import MeanDistances


@dataclass(frozen=True, kw_only=True)
class Marginals:
    """Compares each metric's distribution: Kolmogorov-Smirnov distance, Cliff's delta, Wasserstein distance.

    H0, per metric: real and simulated conversations of a stratum (task and arm) are exchangeable by unit. Rejecting
    it says that the distributions differ somewhere; not rejecting it says nothing, which is why `aligned` is a
    test of its own against ``margin``.

    Source:
        Meshi et al. (2026), ConvApparel, section on population-level statistical alignment; the human baseline, the
        margin and the interval are ours (validators/README.md).
    """

    name: ClassVar[str] = "marginals"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "Meshi et al. (2026), ConvApparel, arXiv 2602.16938: population-level statistical alignment"
    )

    margin: Annotated[float, Field(ge=0, le=1)] = 0.10
    """Population Kolmogorov-Smirnov distance up to which two populations count as alike."""
    cliffs_delta_margin: Annotated[float, Field(ge=0, le=1)] = 0.147
    """The upper end of a "negligible" Cliff's delta (Romano et al. 2006)."""
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return one finding a metric that both tables have."""
        names = [name for name in real.metrics if name in simulated.metrics]
        design = Design.of(real, simulated)
        columns = {name: Column.of(real, simulated, name, design) for name in names}
        refused = refused_labels(real, simulated)
        measured = {
            name: column for name, column in columns.items() if column.measurable and name not in refused
        }
        samples = self._resample(measured, design, seed) if measured else {}
        p_values = {name: sample.p_value for name, sample in samples.items()}
        adjusted = benjamini_hochberg({n: p for n, p in p_values.items() if real.metrics[n].role == "metric"})
        return [
            self._finding(
                real.metrics[name],
                columns[name],
                sample=samples.get(name),
                p_adjusted=adjusted.get(name),
                design=design,
                seed=seed,
                refused=refused.get(name),
            )
            for name in names
        ]

    def compare(
        self, real: Corpus, simulated: Mapping[str, Corpus], *, seed: int
    ) -> Sequence[SimulatorScore]:
        """Return `mean_distance` of each simulator and `mean_distance_difference` of each ordered pair."""
        own = child_seed(seed, self.name, "compare")
        measured = MeanDistances.of(real, simulated, n_resamples=self.n_resamples, seed=own)
        say = partial(
            SimulatorScore, validator=self.name, version=self.version, source=self.source, seed=seed
        )
        return list(measured.scores(say))

    def _resample(self, columns: dict[str, Column], design: Design, seed: int) -> dict[str, Sample]:
        """Resample all metrics with the same draws, one purpose at a time, so that memory holds one set of draws."""
        n = self.n_resamples
        sides = (design.real, design.simulated)
        weights = bootstrap(design.real, n, generator(seed, self.name, "bootstrap", "real"))
        resampled_real = {name: column.real.resampled(weights) for name, column in columns.items()}
        weights = bootstrap(design.simulated, n, generator(seed, self.name, "bootstrap", "simulated"))
        resampled_simulated = {name: column.simulated.resampled(weights) for name, column in columns.items()}
        baselines: list[dict[str, FloatArray]] = []
        for group, side in zip(("first", "second"), sides, strict=True):
            rng = generator(seed, self.name, "floor", group)
            weights = bootstrap_at_size(design.real, side.n_units, n, rng)
            baselines.append({name: column.real.resampled(weights) for name, column in columns.items()})
        is_real = np.arange(len(design.exchangeable)) < design.real.n_units
        rng = generator(seed, self.name, "permutation")
        weights = permute(design.exchangeable, is_real, n, rng)
        return {
            name: Sample.of(
                column,
                Resamples(
                    column.real.counts,
                    column.simulated.counts,
                    resampled_real[name],
                    resampled_simulated[name],
                ),
                baseline=distance(baselines[0][name], baselines[1][name]),
                dealt=column.dealt(weights),
                n_units=column.n_units,
            )
            for name, column in columns.items()
        }

    def _finding(
        self,
        metric: Metric,
        column: Column,
        *,
        sample: Sample | None,
        p_adjusted: float | None,
        design: Design,
        seed: int,
        refused: str | None,
    ) -> Finding:
        decision = Decision("undecided", refused) if refused else self._decide(column, sample, p_adjusted)
        details = column.describe() | {
            "role": metric.role,
            "metric_unit": metric.unit,
            "label_source": metric.label.source if metric.label else None,
            "margin": {"ks": self.margin, "cliffs_delta": self.cliffs_delta_margin},
            "strata": list(design.strata),
            "n_units_real": design.real.n_units,
            "n_units_simulated": design.simulated.n_units,
            "n_resamples": self.n_resamples,
        }
        if sample is not None:
            details |= sample.describe(self.cliffs_delta_margin)
        reason = decision.reason
        if decision.growth is not None:
            needed = (grown(column.n_real, decision.growth), grown(column.n_simulated, decision.growth))
            details["n_to_decide"] = {"real": needed[0], "simulated": needed[1]}
            reason += f"; about {needed[0]} real and {needed[1]} simulated conversations would decide"
        return Finding(
            validator=self.name,
            metric=metric.name,
            question=f"Do simulated shoppers and people differ in {metric.name}? {metric.description}",
            estimate=column.distance if column.measurable and not refused else None,
            unit="KS distance",
            interval=sample.interval if sample else None,
            p_value=sample.p_value if sample else None,
            p_adjusted=p_adjusted,
            noise_floor=HumanBaseline(mean=sample.baseline_mean, q95=sample.baseline_q95) if sample else None,
            verdict=decision.verdict,
            reason=reason,
            n_real=column.n_real,
            n_simulated=column.n_simulated,
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )

    def _decide(self, column: Column, sample: Sample | None, p_adjusted: float | None) -> Decision:
        smallest = min(column.n_units)
        if sample is None or smallest < MIN_UNITS:
            growth = MIN_UNITS / smallest if smallest else None
            return Decision("undecided", _too_few(column.n_units), growth)
        p_value = sample.p_value if p_adjusted is None else p_adjusted
        return decide(
            Evidence(
                column.distance,
                sample.upper_90,
                self.margin,
                p_value,
                sample.baseline_mean,
                sample.baseline_q95,
            )
        )


def _too_few(n_units: tuple[int, int]) -> str:
    lacking = [side for side, n in zip(("real", "simulated"), n_units, strict=True) if not n]
    if lacking:
        return f"not recorded in the {' or '.join(lacking)} conversations, so it cannot be compared"
    return (
        f"{n_units[0]} real and {n_units[1]} simulated users or conversations have this metric; at least {MIN_UNITS} "
        "on each side are needed"
    )
