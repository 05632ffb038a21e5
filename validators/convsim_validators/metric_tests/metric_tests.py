"""Holds both sides' values of several metrics against each other: one finding a metric, and one of all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from convsim._settings import ResampleCount, check_settings
from convsim.schema import Corpus, Finding, Metric, Needs
from convsim.schema.arrays import FloatArray, IntArray
from convsim.schema.corpus import refused_labels
from convsim.seeds import child_seed, generator
from convsim.stats.contrasts import Contrasts
from convsim.stats.decision import Decision
from convsim.stats.equivalence import Margins, needed, normal_quantile, power_at_equality, stated
from convsim.stats.joint_equivalence import JointRule
from convsim.stats.multiplicity import max_t
from convsim.stats.resampling import Design, Weights, bootstrap, bootstrap_at_size
from convsim_validators.metric_tests import all_metrics
from convsim_validators.metric_tests.all_metrics import Together
from convsim_validators.metric_tests.column import MIN_UNITS, Column, Sample
from convsim_validators.metric_tests.contrast import contrast
from convsim_validators.metric_tests.kolmogorov_smirnov import Resamples


class Compared(NamedTuple):
    """What was found of the metrics, and the corrected p-values of all questions asked with them."""

    findings: list[Finding]
    p_adjusted: Mapping[str, float]
    """By metric, ``all_metrics``, and the names of further statistics; empty where nothing could be tested."""


@dataclass(frozen=True)
class _Sides:
    """Two sides with the same metrics, and how they are dealt anew."""

    real: Corpus
    simulated: Corpus
    design: Design

    @classmethod
    def of(cls, real: Corpus, simulated: Corpus) -> _Sides:
        return cls(real, simulated, Design.of(real, simulated))

    @property
    def strata(self) -> tuple[IntArray, IntArray]:
        """The stratum of each unit, by side."""
        return self.design.real.stratum_of, self.design.simulated.stratum_of

    @cached_property
    def refused(self) -> dict[str, str]:
        """Why metrics cannot be compared, by name."""
        return refused_labels(self.real, self.simulated)

    @cached_property
    def untested(self) -> str | None:
        """Why there is no p-value, if so."""
        return self.design.too_few_permutations()


@dataclass(frozen=True, kw_only=True)
class MetricTests:
    """The settings and the tests that all validators share which judge a family of metrics, each by its distribution.

    H0, per metric: real and simulated conversations of a stratum (task and arm) are exchangeable by unit. Rejecting
    it says that the distributions differ somewhere; not rejecting it says nothing, which is why `aligned` is a
    test of its own: location (Cliff's delta), spread and shape (Kolmogorov-Smirnov) each lie within a margin by 90 %
    limits. `all_metrics` asks both of all judged metrics together: whether they are alike on average, with none far
    off, and whether many small differences add up of which none stands out.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    source: ClassVar[str]
    question: ClassVar[str]
    """What is asked of all metrics together."""

    margin: Annotated[float, Field(ge=0, le=1)] = 0.20
    """Population Kolmogorov-Smirnov distance up to which two populations count as alike."""
    cliffs_delta_margin: Annotated[float, Field(ge=0, le=1)] = 0.147
    """The same of Cliff's delta: the upper end of "negligible" (Romano et al. 2006)."""
    spread_margin: Annotated[float, Field(ge=0, le=1.3)] = 0.25
    """The same of the spread score: between normal distributions, 1.44 times the standard deviation."""
    joint_margin: Annotated[float, Field(ge=0, le=1)] = 0.147
    """Of the root mean square of Cliff's delta over metrics (`all_metrics`); of the spread's, ``spread_margin``."""
    metric_margins: Mapping[
        str, Mapping[Literal["cliffs_delta", "spread", "ks"], Annotated[float, Field(ge=0, le=1.3)]]
    ] = field(default_factory=dict)
    """Other margins of single metrics, by metric and name of the distance."""
    alpha: Annotated[float, Field(gt=0, le=0.2)] = 0.05
    """Error rate of each verdict `aligned`, and of all verdicts `different` together."""
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    @property
    def joint_name(self) -> str:
        """The finding of all metrics together; no two validators share one."""
        return all_metrics.NAME if self.name == "marginals" else f"all_{self.name}"

    @property
    def joint_rule(self) -> JointRule:
        """How all metrics together are judged."""
        return JointRule(self.joint_margin, self.alpha, self.spread_margin)

    def margins_of(self, metric: str) -> Margins:
        """Return a metric's margins: its own where they are stated."""
        own = self.metric_margins.get(metric, {})
        return Margins(
            delta=own.get("cliffs_delta", self.cliffs_delta_margin),
            spread=own.get("spread", self.spread_margin),
            ks=own.get("ks", self.margin),
        )

    def dealings(self, design: Design, seed: int) -> Weights:
        """Return the sides as they are, then as they are dealt anew for every question; (units, 1 + permutations)."""
        return design.dealings(self.n_resamples, generator(seed, self.name, "permutation"))

    def compare_metrics(
        self, real: Corpus, simulated: Corpus, *, seed: int, further: Mapping[str, FloatArray] | None = None
    ) -> Compared:
        """Return one finding a metric that both tables have, and one of all metrics together.

        Args:
            real: People; all metrics of their table are judged that the other has too.
            simulated: The simulator.
            seed: Moves the draws.
            further: Other statistics under the same ``dealings``, shape (1 + permutations,), corrected with them.
        """
        sides = _Sides.of(real, simulated)
        names = [name for name in real.metrics if name in simulated.metrics]
        columns = {name: Column.of(real, simulated, name, sides.design) for name in names}
        measured = {
            name: column
            for name, column in columns.items()
            if column.measurable and name not in sides.refused
        }
        samples = self._resample(measured, sides, seed) if measured else {}
        judged = {
            name: sample
            for name, sample in samples.items()
            if real.metrics[name].role == "metric" and min(columns[name].n_units) >= MIN_UNITS
        }
        together = None
        if len(judged) >= all_metrics.MIN_METRICS:
            together = Together(
                Contrasts(tuple(judged), {name: s.contrast for name, s in judged.items()}, sides.strata),
                self.joint_rule,
                tuple(self.margins_of(name) for name in judged),
                (len(real), len(simulated)),
                (sides.design.real.n_units, sides.design.simulated.n_units),
                Together.add_up([sample.dealt.deltas for sample in judged.values()]),
                child_seed(seed, self.name),
            )
        adjusted: dict[str, float] = {}
        if sides.untested is None:
            tested = {name: sample.dealt.distances for name, sample in judged.items()}
            all_of_them = {self.joint_name: together.statistic} if together else {}
            adjusted = max_t({**tested, **all_of_them, **(further or {})})
        findings = [
            self._finding(
                real.metrics[name], columns[name], sample=samples.get(name), p_adjusted=adjusted.get(name),
                sides=sides, seed=seed,
            )
            for name in names
        ]  # fmt: skip
        if together is not None:
            findings.append(
                self._together(together, adjusted.get(self.joint_name), untested=sides.untested, seed=seed)
            )
        elif self.joint_name != all_metrics.NAME:
            findings.append(self._not_together(findings, sides, seed))
        return Compared(findings, adjusted)

    def _resample(self, columns: dict[str, Column], sides: _Sides, seed: int) -> dict[str, Sample]:
        """Resample all metrics with the same draws; counts of one metric are held at a time, draws throughout."""
        n, design = self.n_resamples, sides.design
        by_name = {"real": design.real, "simulated": design.simulated}
        rngs = {
            name: generator(seed, self.name, *name.split())
            for name in ("bootstrap real", "bootstrap simulated", "floor first", "floor second")
        }
        drawn = {name: bootstrap(side, n, rngs[f"bootstrap {name}"]) for name, side in by_name.items()}
        groups = [
            bootstrap_at_size(design.real, side.n_units, n, rngs[f"floor {group}"])
            for group, side in zip(("first", "second"), by_name.values(), strict=True)
        ]
        dealt = self.dealings(design, seed)
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
                strata=sides.strata,
                alpha=self.alpha,
            )
            for name, column in columns.items()
        }

    def _finding(
        self, metric: Metric, column: Column, *, sample: Sample | None, p_adjusted: float | None, sides: _Sides,
        seed: int,
    ) -> Finding:  # fmt: skip
        refused, untested, design = sides.refused.get(metric.name), sides.untested, sides.design
        tested = sample is not None and untested is None
        p_value = sample.p_value if sample is not None and tested else None
        decision = (
            Decision("undecided", refused)
            if refused
            else self._decide(metric.name, column, sample, p_adjusted if metric.role == "metric" else p_value)
        )
        margins = self.margins_of(metric.name)
        details = column.describe() | {
            "role": metric.role,
            "metric_unit": metric.unit,
            "label_source": metric.label.source if metric.label else None,
            "margin": {"ks": margins.ks, "cliffs_delta": margins.delta, "spread": margins.spread},
            "strata": list(design.strata),
            "n_units_real": design.real.n_units,
            "n_units_simulated": design.simulated.n_units,
            "n_resamples": self.n_resamples,
        }
        if sample is not None:
            details |= sample.describe(margins, tested=tested)
        reason = decision.reason
        if decision.verdict == "undecided" and not refused and min(column.n_units) >= MIN_UNITS:
            reason += f"; {untested}" if untested else ""
            if sample is not None:
                needs = self._needs(column, sample, margins)
                details |= stated(needs, (column.n_real, column.n_simulated))
                reason += _in_words(needs)
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
        self, together: Together, p_adjusted: float | None, *, untested: str | None, seed: int
    ) -> Finding:
        decision = together.decide(p_adjusted)
        enough = min(together.n_units) >= all_metrics.MIN_PEOPLE
        details = {"role": "metric", **together.describe(), "n_resamples": self.n_resamples}
        reason = decision.reason
        if decision.verdict == "undecided":
            needs = together.needs if enough else _to_thirty(together.n_units)
            details |= stated(needs, together.n)
            reason += _in_words(needs) if enough else ""
        return Finding(
            validator=self.name,
            metric=self.joint_name,
            question=self.question,
            estimate=together.joint.distance,
            unit=all_metrics.UNIT,
            interval=together.joint.limits(JointRule(alpha=0.025).z),
            p_value=None if untested else together.p_value,
            p_adjusted=p_adjusted,
            noise_floor=together.baseline(),
            verdict=decision.verdict,
            reason=reason + (f"; {untested}" if untested else ""),
            n_real=together.n[0],
            n_simulated=together.n[1],
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )

    def _not_together(self, findings: Sequence[Finding], sides: _Sides, seed: int) -> Finding:
        """Return the finding of all metrics where too few of them can be judged, with the reasons."""
        n = (len(sides.real), len(sides.simulated))
        reasons = dict.fromkeys(f"{f.metric}: {f.reason}" for f in findings if f.verdict == "undecided")
        return Finding(
            validator=self.name,
            metric=self.joint_name,
            question=self.question,
            unit=all_metrics.UNIT,
            verdict="undecided",
            reason=f"fewer than {all_metrics.MIN_METRICS} of {len(findings)} metrics can be judged; "
            + "; ".join(reasons),
            n_real=n[0],
            n_simulated=n[1],
            seed=seed,
            version=self.version,
            source=self.source,
        )

    def _decide(self, metric: str, column: Column, sample: Sample | None, p_value: float | None) -> Decision:
        if sample is None or min(column.n_units) < MIN_UNITS:
            return Decision("undecided", _too_few(column.n_units))
        limits, margins = sample.limits, self.margins_of(metric)
        spread = "" if limits.spread is None else f", spread {limits.spread:.2f} of {margins.spread:g}"
        said = (
            f"location at most {limits.delta:.2f} of {margins.delta:g}{spread}, distance {limits.ks:.2f} of "
            f"{margins.ks:g} ({100 * (1 - 2 * self.alpha):.0f} % limits and margins)"
        )
        if limits.inside(margins):
            return Decision("aligned", said)
        if p_value is not None and p_value <= self.alpha:
            return Decision(
                "different",
                f"distance {column.distance:.3f} is more than chance explains: "
                f"{contrast(*column.values, sample.delta)}",
            )
        return Decision("undecided", f"neither within the margins nor shown to be different: {said}")

    def _needs(self, column: Column, sample: Sample, margins: Margins) -> Needs | None:
        z = normal_quantile(1 - self.alpha)

        def power(n_real: int, n_simulated: int) -> float:
            variances = sample.precision.at(n_real, n_simulated)
            return power_at_equality(variances, margins, z=z, two_valued=column.two_valued)

        return needed(power, (column.n_real, column.n_simulated))


def _to_thirty(n_units: tuple[int, int]) -> Needs:
    """Return what is lacking to the least number of units, of people first."""
    lacking = [max(0, all_metrics.MIN_PEOPLE - n) for n in n_units]
    return Needs(side="people", more=lacking[0]) if lacking[0] else Needs(side="simulated", more=lacking[1])


def _in_words(needs: Needs | None) -> str:
    if needs is None:
        return "; if nothing differed, this much data would show it in four of five cases"
    return f"; if nothing differs, about {needs.more:,} more {needs.side} would show it"


def _too_few(n_units: tuple[int, int]) -> str:
    lacking = [side for side, n in zip(("real", "simulated"), n_units, strict=True) if not n]
    if lacking:
        return f"not recorded in the {' or '.join(lacking)} conversations, so it cannot be compared"
    return (
        f"{n_units[0]} real and {n_units[1]} simulated users or conversations have this metric; at least {MIN_UNITS} "
        "on each side are needed"
    )
