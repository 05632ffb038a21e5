"""Are the simulated shoppers' habits distributed as people's, metric by metric? (the paper's PLSA)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field

from convsim._settings import ResampleCount, check_settings
from convsim.schema import Corpus, Finding, Metric, SimulatorScore
from convsim.schema.corpus import refused_labels
from convsim.seeds import child_seed, generator
from convsim.stats.decision import MAX_GROWTH, Decision, Evidence, decide, grown
from convsim.stats.multiplicity import max_t
from convsim.stats.resampling import Design, bootstrap, bootstrap_at_size
from convsim_validators.marginals import all_metrics
from convsim_validators.marginals.all_metrics import Together
from convsim_validators.marginals.column import MIN_UNITS, Column, Sample
from convsim_validators.marginals.contrast import contrast
from convsim_validators.marginals.kolmogorov_smirnov import Resamples
from convsim_validators.marginals.ranking import MeanDistances


@dataclass(frozen=True, kw_only=True)
class Marginals:
    """Compares each metric's distribution: Kolmogorov-Smirnov distance, Cliff's delta, Wasserstein distance.

    H0, per metric: real and simulated conversations of a stratum (task and arm) are exchangeable by unit. Rejecting
    it says that the distributions differ somewhere; not rejecting it says nothing, which is why `aligned` is a
    test of its own against ``margin``. `all_metrics` asks the same of all judged metrics together, and finds many small
    differences of which none stands out.

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
        """Return one finding a metric that both tables have, and one of all metrics together."""
        names = [name for name in real.metrics if name in simulated.metrics]
        design = Design.of(real, simulated)
        columns = {name: Column.of(real, simulated, name, design) for name in names}
        refused = refused_labels(real, simulated)
        measured = {
            name: column for name, column in columns.items() if column.measurable and name not in refused
        }
        samples = self._resample(measured, design, seed) if measured else {}
        untested = design.too_few_permutations()
        judged = {
            name: sample
            for name, sample in samples.items()
            if real.metrics[name].role == "metric" and min(columns[name].n_units) >= MIN_UNITS
        }
        together = None
        if len(judged) >= all_metrics.MIN_METRICS:
            human = [sample.human_deltas for sample in judged.values()]
            deltas = {name: sample.delta for name, sample in judged.items()}
            together = Together.of(deltas, [sample.dealt.deltas for sample in judged.values()], human)
        adjusted: dict[str, float] = {}
        if untested is None:
            tested = {name: sample.dealt.distances for name, sample in judged.items()}
            adjusted = max_t(tested | ({all_metrics.NAME: together.statistic} if together else {}))
        findings = [
            self._finding(
                real.metrics[name],
                columns[name],
                sample=samples.get(name),
                p_adjusted=adjusted.get(name),
                design=design,
                seed=seed,
                undecidable=(refused.get(name), untested),
            )
            for name in names
        ]
        if together is not None:
            n = (len(real), len(simulated))
            findings.append(
                self._together(together, adjusted.get(all_metrics.NAME), n=n, untested=untested, seed=seed)
            )
        return findings

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
        """Resample all metrics with the same draws; counts of one metric are held at a time, draws throughout."""
        n, sides = self.n_resamples, {"real": design.real, "simulated": design.simulated}
        rngs = {
            name: generator(seed, self.name, *name.split())
            for name in (
                "bootstrap real",
                "bootstrap simulated",
                "floor first",
                "floor second",
                "permutation",
            )
        }
        drawn = {name: bootstrap(side, n, rngs[f"bootstrap {name}"]) for name, side in sides.items()}
        groups = [
            bootstrap_at_size(design.real, side.n_units, n, rngs[f"floor {group}"])
            for group, side in zip(("first", "second"), sides.values(), strict=True)
        ]
        dealt = design.dealings(n, rngs["permutation"])
        return {
            name: Sample.of(
                column,
                Resamples(
                    column.real.counts,
                    column.simulated.counts,
                    column.real.resampled(drawn["real"]),
                    column.simulated.resampled(drawn["simulated"]),
                ),
                groups=(column.real.resampled(groups[0]), column.real.resampled(groups[1])),
                dealt=column.dealt(dealt),
                margin=self.margin,
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
        undecidable: tuple[str | None, str | None],
    ) -> Finding:
        refused, untested = undecidable
        tested = sample is not None and untested is None
        p_value = sample.p_value if sample is not None and tested else None
        decision = (
            Decision("undecided", refused)
            if refused
            else self._decide(column, sample, p_adjusted if metric.role == "metric" else p_value)
        )
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
            details |= sample.describe(self.cliffs_delta_margin, tested=tested)
        reason = decision.reason
        if decision.verdict == "undecided" and untested and min(column.n_units) >= MIN_UNITS and not refused:
            reason += f"; {untested}"
        if decision.growth is not None and decision.growth < MAX_GROWTH:
            needed = (grown(column.n_real, decision.growth), grown(column.n_simulated, decision.growth))
            details["n_to_decide"] = {"real": needed[0], "simulated": needed[1]}
            reason += f"; if nothing differs, about {needed[0]} real and {needed[1]} simulated conversations show it"
        return Finding(
            validator=self.name,
            metric=metric.name,
            question=f"Do simulated shoppers and people differ in {metric.name}? {metric.description}",
            estimate=column.distance if column.measurable and not refused else None,
            unit="KS distance",
            interval=sample.interval if sample else None,
            p_value=p_value,
            p_adjusted=p_adjusted,
            noise_floor=sample.baseline if sample else None,
            verdict=decision.verdict,
            reason=reason,
            n_real=column.n_real,
            n_simulated=column.n_simulated,
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )

    def _together(
        self,
        together: Together,
        p_adjusted: float | None,
        *,
        n: tuple[int, int],
        untested: str | None,
        seed: int,
    ) -> Finding:
        decision = together.decide(p_adjusted)
        return Finding(
            validator=self.name,
            metric=all_metrics.NAME,
            question=all_metrics.QUESTION,
            estimate=together.estimate,
            unit=all_metrics.UNIT,
            p_value=None if untested else together.p_value,
            p_adjusted=p_adjusted,
            noise_floor=together.baseline,
            verdict=decision.verdict,
            reason=decision.reason + (f"; {untested}" if untested else ""),
            n_real=n[0],
            n_simulated=n[1],
            seed=seed,
            version=self.version,
            source=self.source,
            details={
                "role": "metric",
                "cliffs_delta_by_metric": dict(together.deltas),
                "n_resamples": self.n_resamples,
            },
        )

    def _decide(self, column: Column, sample: Sample | None, p_value: float | None) -> Decision:
        if sample is None or min(column.n_units) < MIN_UNITS:
            return Decision("undecided", _too_few(column.n_units))
        decision = decide(
            Evidence(column.distance, sample.upper_90, self.margin, p_value, growth=sample.growth)
        )
        if decision.verdict != "different":
            return decision
        return Decision("different", f"{decision.reason}: {contrast(*column.values, sample.delta)}")


def _too_few(n_units: tuple[int, int]) -> str:
    lacking = [side for side, n in zip(("real", "simulated"), n_units, strict=True) if not n]
    if lacking:
        return f"not recorded in the {' or '.join(lacking)} conversations, so it cannot be compared"
    return (
        f"{n_units[0]} real and {n_units[1]} simulated users or conversations have this metric; at least {MIN_UNITS} "
        "on each side are needed"
    )
