"""When the recommender gets worse, do simulated shoppers react as people do? (the paper's counterfactual validation)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from convsim._settings import ResampleCount, check_settings
from convsim.errors import InputError
from convsim.schema import Corpus, Finding, Metric, PlannedFinding
from convsim.schema.corpus import refused_labels
from convsim.seeds import generator
from convsim.stats.decision import ALPHA
from convsim.stats.multiplicity import max_t
from convsim_validators.counterfactual import first_message, survival
from convsim_validators.counterfactual.planning import Reactions
from convsim_validators.counterfactual.ratio_decision import Rule
from convsim_validators.counterfactual.reaction_ratio import ratio_finding
from convsim_validators.counterfactual.shift_finding import SOURCE, VALIDATOR, VERSION, Frame, shift_finding
from convsim_validators.counterfactual.shifts import MetricShift, halves, human_baseline
from convsim_validators.counterfactual.summaries import (
    agreement_finding,
    generalisation_finding,
    joint_finding,
)
from convsim_validators.counterfactual.two_arm import Arms, ArmSide
from convsim_validators.counterfactual.unseen_arm import Learned


@dataclass(frozen=True, kw_only=True)
class Counterfactual:
    """Compares shifts: treated less control mean, of people and of simulated shoppers, metric by metric.

    H0, per metric: people do not shift (their p-values, corrected for the number of metrics). The verdict stands on
    intervals of both shifts and of their difference (``shift_decision``); failing to differ is never read as alike.
    All metrics together: the reaction ratio. Beside it: the direction, a joint test, the hazard of
    leaving, whether first messages depend on the arm, and whether the simulator had seen the treated arm.

    Source:
        Meshi et al. (2026), ConvApparel, section on counterfactual validation; the rule, its margin and the intervals
        are ours (validators/README.md).
    """

    name: ClassVar[str] = VALIDATOR
    version: ClassVar[str] = VERSION
    source: ClassVar[str] = SOURCE
    on_request: ClassVar[bool] = True

    control: str
    treatment: str
    margin_sd: Annotated[float, Field(ge=0, le=10)] = 0.2
    """Human standard deviations within arms up to which a shift counts as none: Cohen's "small", and about where
    Cliff's delta reaches .147, the end of "negligible" (Romano et al. 2006)."""
    ratio_margin: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """How far from 1 the reaction ratio of a simulator that reacts as people may lie: half of people's shift, as for
    a single metric."""
    alpha: Annotated[float, Field(gt=0, le=0.2)] = ALPHA
    """The error rate of the reaction ratio's verdict; who looks repeatedly sets a lower one."""
    n_resamples: ResampleCount = 1999
    saw_both: Corpus | None = None
    """Conversations of a simulator that learned from both arms."""

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)
        if self.control == self.treatment:
            raise InputError(
                f"{self.name}: control and treatment must be two arms, but both are {self.control!r}"
            )

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return one finding a metric that both tables have, then those over all metrics."""
        frame = Frame(Arms(self.control, self.treatment), self.margin_sd, self.n_resamples, seed)
        sides = [self._side(real, "real", frame), self._side(simulated, "simulated", frame)]
        size = (len(sides[0].corpus), len(sides[1].corpus))
        refused = refused_labels(real, simulated)
        metrics = [metric for name, metric in real.metrics.items() if name in simulated.metrics]
        shifts = [MetricShift.of(sides, metric, frame.arms, seed=seed) for metric in metrics]
        judged = [shift for shift in shifts if shift.judged and shift.metric.name not in refused]
        adjusted = max_t({shift.metric.name: shift.shifts[0].statistics for shift in judged})
        differences = max_t({shift.metric.name: shift.difference_statistics for shift in judged})
        findings = self._shift_findings(
            sides[0], shifts, frame, adjusted=(adjusted, differences), refused=refused
        )
        verdicts = {finding.metric: finding.verdict for finding in findings}
        established = [shift for shift in judged if adjusted[shift.metric.name] <= ALPHA]
        rule = Rule(self.ratio_margin, self.margin_sd, self.alpha)
        return [
            *findings,
            ratio_finding(sides, judged, frame, rule),
            agreement_finding(established, frame, size=size),
            joint_finding(judged, frame, verdicts=verdicts, size=size),
            *survival.hazard_findings(
                real,
                simulated,
                arms=frame.arms,
                n_resamples=self.n_resamples,
                seed=seed,
                margin_sd=self.margin_sd,
            ),
            *first_message.independence_findings(
                real, simulated, arms=frame.arms, n_resamples=self.n_resamples, seed=seed
            ),
            self._generalisation(real, sides, [shift.metric for shift in judged], frame),
        ]

    def plan(self, real: Corpus, *, n_simulated: Sequence[int], seed: int) -> Sequence[PlannedFinding]:
        """Return the power of the reaction ratio for simulators that react as people do, half as far, and not."""
        rule = Rule(self.ratio_margin, self.margin_sd, self.alpha)
        return list(Reactions.of(real, Arms(self.control, self.treatment), rule, seed).plan(n_simulated))

    def _side(self, corpus: Corpus, name: str, frame: Frame) -> ArmSide:
        rng = generator(frame.seed, self.name, "bootstrap", name)
        return ArmSide.of(corpus, frame.arms, self.n_resamples, rng)

    def _shift_findings(
        self,
        people: ArmSide,
        shifts: Sequence[MetricShift],
        frame: Frame,
        *,
        adjusted: tuple[dict[str, float], dict[str, float]],
        refused: dict[str, str],
    ) -> list[Finding]:
        split = halves(people, generator(frame.seed, self.name, "floor"))
        findings = []
        for shift in shifts:
            name = shift.metric.name
            baseline = None
            if shift.shifts and name not in refused:
                weight = shift.standards.of_side[0].over(people)
                baseline = human_baseline(people, people.column(name), weight, split)
            findings.append(
                shift_finding(
                    shift,
                    frame,
                    p_adjusted=adjusted[0].get(name),
                    difference_p=adjusted[1].get(name),
                    baseline=baseline,
                    refused=refused.get(name),
                )
            )
        return findings

    def _generalisation(
        self, real: Corpus, sides: Sequence[ArmSide], metrics: Sequence[Metric], frame: Frame
    ) -> Finding:
        people, simulated = (side.corpus for side in sides)
        informed, compared = None, []
        if self.saw_both is not None:
            third = self._side(self.saw_both, "saw_both", frame)
            informed = Learned.of(third.corpus.conversations, real.conversations)
            refused = refused_labels(real, self.saw_both)
            shifts = [
                MetricShift.of([*sides, third], metric, frame.arms, seed=frame.seed)
                for metric in metrics
                if metric.name in self.saw_both.metrics and metric.name not in refused
            ]
            compared = [shift for shift in shifts if shift.judged]
        return generalisation_finding(
            Learned.of(simulated.conversations, real.conversations),
            compared,
            frame,
            informed=informed,
            size=(len(people), len(simulated)),
        )
