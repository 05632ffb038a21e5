"""What people can decide of reactions before anything is simulated: the power of the reaction ratio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan

import numpy as np

from convsim.schema import Corpus, Needs, PlannedFinding, PlannedPower, Truth, Verdict
from convsim.schema.arrays import FloatArray
from convsim.seeds import generator
from convsim.stats.joint_equivalence import normal_draws
from convsim.stats.planning import Curve, as_if_simulated
from convsim.stats.reaction_ratio import JointShifts, hull_limits, rms_limits
from convsim.stats.sample_size import POWER
from convsim_validators.counterfactual.influence import Together
from convsim_validators.counterfactual.ratio_decision import MIN_UNITS, Limits, Rule, reaction
from convsim_validators.counterfactual.reaction_ratio import NAME
from convsim_validators.counterfactual.shift_finding import SOURCE, VALIDATOR
from convsim_validators.counterfactual.shifts import MetricShift
from convsim_validators.counterfactual.two_arm import Arms, ArmSide

N_DRAWS = 400
REACHES: dict[Truth, float] = {"like_people": 1.0, "half_reaction": 0.5, "no_reaction": 0.0}
"""By what proportion of people's shifts a simulator shifts."""
RIGHT: dict[Truth, tuple[Verdict, ...]] = {
    "like_people": ("reacts_as_people",),
    "half_reaction": ("under_reacts", "does_not_react"),
    "no_reaction": ("does_not_react", "under_reacts"),
}
QUESTIONS: dict[Truth, str] = {
    "like_people": "Would a simulator that reacts just as people do be found to?",
    "half_reaction": "Would one that shifts half as far as people be found out?",
    "no_reaction": "Would one that does not react at all be found out?",
}
HOW = (
    "people's shifts are taken as seen, less what sampling errors add to them; shifts of both sides are drawn with the "
    "errors of these people and of independent simulated conversations, and judged as the reaction ratio is"
)


@dataclass(frozen=True)
class Reactions:
    """People's shifts between two arms held against themselves, as if the second side were a simulator's."""

    side: ArmSide
    judged: tuple[MetricShift, ...]
    shifts: JointShifts | None
    """None where no metric can be judged."""
    rule: Rule
    seed: int

    @classmethod
    def of(cls, real: Corpus, arms: Arms, rule: Rule, seed: int) -> Reactions:
        """Measure people's shifts, and how a simulator's would vary."""
        rng = generator(seed, VALIDATOR, "plan", "bootstrap")
        # The draws of units decide nothing here: the ratio stands on what each unit contributes.
        sides = [ArmSide.of(side, arms, 1, rng) for side in (real, as_if_simulated(real))]
        measured = [MetricShift.of(sides, metric, arms, seed=seed) for metric in real.metrics.values()]
        judged = tuple(each for each in measured if each.judged and each.metric.role == "metric")
        return cls(sides[0], judged, Together.of(sides, judged).shifts if judged else None, rule, seed)

    @property
    def n(self) -> int:
        """Conversations of both arms."""
        return len(self.side.corpus)

    @cached_property
    def units_an_arm(self) -> int:
        """Users, or what else is independent, in the smaller arm."""
        return min(len(np.unique(self.side.unit_of[self.side.arm_of == arm])) for arm in (0, 1))

    @cached_property
    def share_of_smaller_arm(self) -> float:
        """Of the conversations; simulated ones are spread over the arms as people's are."""
        return float(np.bincount(self.side.arm_of, minlength=2).min() / max(self.n, 1))

    @cached_property
    def draws(self) -> tuple[FloatArray, FloatArray]:
        """Errors of people's shifts and of the simulated ones at people's sizes; shape (draws, metrics) each."""
        assert self.shifts is not None
        of_people, of_simulated, _ = self.shifts.blocks
        rng = generator(self.seed, VALIDATOR, "plan", "shifts")
        return normal_draws(of_people, N_DRAWS, rng), normal_draws(of_simulated, N_DRAWS, rng)

    def plan(self, n_simulated: Sequence[int]) -> Iterator[PlannedFinding]:
        """Yield the power for a simulator like people, one that reacts half as far, and one that does not."""
        for truth in REACHES:
            yield self._of(truth, n_simulated)

    def _of(self, truth: Truth, n_simulated: Sequence[int]) -> PlannedFinding:
        found = PlannedFinding(
            validator=VALIDATOR,
            metric=NAME,
            question=QUESTIONS[truth],
            truth=truth,
            verdicts=RIGHT[truth],
            margin=self.rule.margin,
            margin_of="the reaction ratio, to either side of 1",
            n_real=self.n,
            n_units_real=len(np.unique(self.side.unit_of)),
            n_arms=2,
            reason=HOW,
            source=SOURCE,
        )
        if self.shifts is None:
            lacking = max(0, MIN_UNITS - self.units_an_arm)
            return found.but(
                reason=f"no metric can be judged; {self.units_an_arm} users or conversations in the smaller arm",
                needs=Needs(side="people", more=2 * lacking) if lacking else None,
            )

        def power(n_real: int, n: int) -> float:
            if self._too_few(n_real, n):
                return 0.0
            verdicts = [reaction(limits, self.rule) for limits in self._limits(n_real, n, truth)]
            return sum(verdict in RIGHT[truth] for verdict in verdicts) / len(verdicts)

        if truth != "like_people":
            return found.but(
                at=tuple(PlannedPower(n_simulated=n, power=power(self.n, n)) for n in n_simulated)
            )
        curve = Curve.of(power, self.n, n_simulated, smallest_margin=self._smallest_margin)
        return found.but(at=curve.at, needs=curve.needs, pays_up_to=curve.pays_up_to)

    def _too_few(self, n_real: int, n_simulated: int) -> bool:
        people = self.units_an_arm * n_real / self.n
        return min(people, n_simulated * self.share_of_smaller_arm) < MIN_UNITS

    def _limits(self, n_real: int, n_simulated: int, truth: Truth) -> list[Limits]:
        """Return what would be seen with so many conversations, drawn again and again, as ``Limits.of`` has it."""
        assert self.shifts is not None
        v_h, v_s = (
            covariance * self.n / n
            for covariance, n in zip(self.shifts.blocks, (n_real, n_simulated), strict=False)
        )
        true = self._true_shifts
        people = true + self.draws[0] * np.sqrt(self.n / n_real)
        simulated = REACHES[truth] * true + self.draws[1] * np.sqrt(self.n / n_simulated)
        of_people, crossed = people @ v_h, ((people @ v_h) * simulated).sum(axis=1)
        numerator, denominator = (people * simulated).sum(axis=1), (people**2).sum(axis=1) - np.trace(v_h)
        variances = (
            ((people @ v_s) * people).sum(axis=1) + ((simulated @ v_h) * simulated).sum(axis=1),
            2 * crossed,
            4 * (of_people * people).sum(axis=1),
        )
        z = self.rule.one_sided
        rows = zip(
            hull_limits(numerator, denominator, variances, self.rule.two_sided).tolist(),
            hull_limits(numerator, denominator, variances, z).tolist(),
            rms_limits(people, v_h, z).tolist(),
            rms_limits(simulated, v_s, z).tolist(),
            strict=True,
        )
        return [
            Limits(None, None, None, (h[0], h[1]), (s[0], s[1]))
            if isnan(wide[0])
            else Limits(None, (wide[0], wide[1]), (narrow[0], narrow[1]), (h[0], h[1]), (s[0], s[1]))
            for wide, narrow, h, s in rows
        ]

    @cached_property
    def _true_shifts(self) -> FloatArray:
        """People's shifts without what errors add to their squares: 0 where they may be errors alone."""
        assert self.shifts is not None
        seen = self.shifts.people
        square = float(seen @ seen)
        kept = max(self.shifts.ratio.denominator, 0.0) / square if square > 0 else 0.0
        return np.asarray(seen * np.sqrt(kept))

    def _smallest_margin(self, n_simulated: int) -> float | None:
        """Return how far from 1 the limits reach in four of five cases; None where that is no margin."""
        if self._too_few(self.n, n_simulated):
            return None
        reach = [
            max(1 - limits.narrow[0], limits.narrow[1] - 1) if limits.narrow else np.inf
            for limits in self._limits(self.n, n_simulated, "like_people")
        ]
        smallest = float(np.sort(reach)[int(np.ceil(POWER * len(reach))) - 1])
        return smallest if smallest < 1 else None
