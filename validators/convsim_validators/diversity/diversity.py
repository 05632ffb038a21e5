"""Does the crowd of simulated shoppers cover the crowd of people?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import hypot, sqrt
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, JsonValue

from convsim._settings import ErrorRate, ResampleCount, check_settings
from convsim.schema import Corpus, Finding, HumanBaseline, Needs
from convsim.seeds import generator
from convsim.stats.decision import ALPHA, MIN_UNITS, Decision
from convsim.stats.equivalence import needed, normal_power, stated
from convsim.stats.multiplicity import max_t, permutation_p_value
from convsim.stats.proportions import wilson_limits
from convsim.stats.sample_size import one_sided_errors
from convsim.stats.units import some_units
from convsim_validators.diversity.compared import Compared
from convsim_validators.diversity.filled_spaces import filled_spaces
from convsim_validators.diversity.kinds import Kinds
from convsim_validators.diversity.measures import Measure, Measured
from convsim_validators.diversity.points import Points
from convsim_validators.diversity.questions import MEASURES, unmeasurable
from convsim_validators.diversity.telling import Telling

MAX_CONVERSATIONS = 2_000
"""Of a side that are looked at, whole units at random."""
MIN_TO_ALIGN = 60
"""Units of either side: fewer fill no space, so that a crowd that covers them says little."""

Proportion = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Diversity:
    """Finds crowds that are one person, that lack kinds of people, or that have kinds which people lack.

    H0: units of a stratum (or of a scenario that both sides met) are exchangeable between the sides. Of a unit with
    several conversations one is picked at random, so that each counts once and dealings stay exchangeable. All
    questions are tested on the same dealings, one-sided but for ``persona_icc``: to be more varied than people, or to
    cover them better, is no fault. Precision, recall and density are shown and not asked: what they see, coverage, the
    divergences and the effective number see too, and each further question costs the others power.

    Source:
        Kynkäänniemi et al. (2019) and Naeem et al. (2020), precision, recall, density, coverage; Mehri et al. (2026),
        arXiv 2605.07847, divergences of clusters; Leinster and Cobbold (2012), effective number. Tests, baselines of
        people against people and margins are ours; multiplicity: Westfall and Young (1993), step-down max-T.
    """

    name: ClassVar[str] = "diversity"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "Naeem et al. (2020), coverage; Mehri et al. (2026), arXiv 2605.07847, divergence of clusters; Leinster and "
        "Cobbold (2012), effective number"
    )

    coverage_margin: Proportion = 0.10
    """Proportion of people, beyond that of other people, that may be uncovered."""
    divergence_margin: Annotated[float, Field(ge=0)] = 0.20
    """Nats beyond those between people: what a kind of one in twenty adds at 200 a side if the other side lacks it."""
    spread_margin: Proportion = 0.10
    """Proportion of people's mean distance from one another, in habits, that may be lacking."""
    openings_margin: Proportion = 0.10
    """Proportion of distinct first messages that may be lacking."""
    effective_margin: Proportion = 0.20
    """Proportion of people's effective number that may be lacking."""
    duplicates_margin: Proportion = 0.05
    """Proportion of near-duplicates, beyond people's, that may be there."""
    icc_margin: Proportion = 0.15
    """How far the intraclass correlations may lie apart."""
    alpha: ErrorRate = ALPHA
    n_resamples: ResampleCount = 999

    def __post_init__(self) -> None:
        """Check the settings; raises InputError."""
        check_settings(self, self.name)

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return a finding for each of the nine questions; none where a side is empty."""
        from threadpoolctl import threadpool_limits

        if not len(real) or not len(simulated):
            return []
        looked_at = [
            side.take(some_units(side, MAX_CONVERSATIONS, generator(seed, self.name, "sample", name)))
            for name, side in (("real", real), ("simulated", simulated))
        ]
        say = partial(self._finding, n=(len(looked_at[0]), len(looked_at[1])), seed=seed)
        n_units = [len(set(side.units)) for side in looked_at]
        if min(n_units) < MIN_UNITS:
            few = f"{n_units[0]} real and {n_units[1]} simulated users; at least {MIN_UNITS} each are needed"
            return [say(measure, Decision("undecided", few), {}) for measure in MEASURES]
        with threadpool_limits(1):  # small products on many BLAS threads wait for one another
            points = Points.of(looked_at[0], looked_at[1], seed=seed)
            compared = Compared.of(points, n_resamples=self.n_resamples, seed=seed)
            return self._judge(
                compared, say, sampled=(len(real), len(simulated)) != say.keywords["n"], seed=seed
            )

    def _judge(
        self, compared: Compared, say: Callable[..., Finding], *, sampled: bool, seed: int
    ) -> list[Finding]:
        points = compared.points
        why_not = {measure.name: unmeasurable(measure, points) for measure in MEASURES}
        found = {m.name: compared.measured(m) for m in MEASURES if why_not[m.name] is None}
        untested = points.design.too_few_permutations()
        adjusted = {} if untested else max_t({name: each.statistic for name, each in found.items()})
        telling = Telling(compared, Kinds(compared))
        findings = []
        for measure in MEASURES:
            measured, p_adjusted = found.get(measure.name), adjusted.get(measure.name)
            if measured is None:
                findings.append(say(measure, Decision("undecided", why_not[measure.name] or ""), {}))
                continue
            decision = self._decide(measured, p_adjusted, telling, untested)
            details = self._describe(measured, points, decision, sampled=sampled)
            if measure.name == "forward_kl":
                details["clusters"] = [kind.stated() for kind in telling.kinds.listed]
            space = {"coverage": points.habit_space, "text_coverage": points.texts.space}.get(measure.name)
            if space is not None:
                details |= filled_spaces(points, space, seed=seed)
            if decision.verdict == "different":
                details |= {"giveaway": decision.reason, "examples": telling.examples(measured)}
            findings.append(say(measure, decision, details, measured=measured, p_adjusted=p_adjusted))
        return findings

    def _decide(
        self, measured: Measured, p_adjusted: float | None, telling: Telling, untested: str | None
    ) -> Decision:
        measure, points = measured.measure, telling.compared.points
        people, simulated = measured.levels
        margin: float = getattr(self, measure.margin)
        upper = self._upper(measured, points)
        said = f"simulated {simulated:.3g}, people {people:.3g}; at most {upper:.2f} {measure.beyond_words}"
        n_units = min(points.n_units)
        if upper <= margin and n_units >= MIN_TO_ALIGN:
            return Decision("aligned", f"{said}, within the margin of {margin:g}")
        if p_adjusted is not None and p_adjusted <= self.alpha:
            return Decision("different", telling.giveaway(measured))
        if upper <= margin:
            return Decision(
                "undecided",
                f"{said}, within the margin of {margin:g}, but {n_units} users or personas on a side fill too little "
                f"of a space: likeness is judged from {MIN_TO_ALIGN}",
            )
        why = f" ({untested})" if untested else ""
        return Decision(
            "undecided", f"{said}, not within the margin of {margin:g}, and no difference is shown{why}"
        )

    def _upper(self, measured: Measured, points: Points) -> float:
        """Return the upper limit of how far the simulator lies beyond people.

        Of proportions also Newcombe's: what nobody of few was seen to do has no variance.
        """
        z = one_sided_errors(self.alpha)
        apart = abs(measured.estimate) if measured.measure.worse == "other" else measured.estimate
        upper = apart + z * measured.standard_error
        if not measured.measure.counts:
            return upper
        levels = np.asarray(measured.levels).clip(0, 1)
        low, high = wilson_limits(levels, np.asarray(points.n_units, np.float64), z)
        if measured.measure.worse == "less":
            return max(upper, apart + hypot(levels[1] - low[1], high[0] - levels[0]))
        return max(upper, apart + hypot(high[1] - levels[1], levels[0] - low[0]))

    def _describe(
        self, measured: Measured, points: Points, decision: Decision, *, sampled: bool
    ) -> dict[str, JsonValue]:
        people, simulated = measured.levels
        n = (len(points.real), len(points.simulated))
        details: dict[str, JsonValue] = {
            "level_real": people,
            "level_simulated": simulated,
            "margin": getattr(self, measured.measure.margin),
            "equivalence_upper": self._upper(measured, points),
            "n_units_real": points.n_units[0],
            "n_units_simulated": points.n_units[1],
            "n_resamples": self.n_resamples,
        }
        if sampled:
            details["sampled"] = (
                f"whole users at random, of at most {MAX_CONVERSATIONS:,} conversations a side"
            )
        if decision.verdict == "undecided":
            details |= stated(self._needs(measured, points), n)
        return details

    def _needs(self, measured: Measured, points: Points) -> Needs | None:
        """Return how much more shows in four of five cases that the simulator is no worse, if it is not."""
        z = one_sided_errors(self.alpha)
        n = (len(points.real), len(points.simulated))
        variance = measured.standard_error**2 / (1 / n[0] + 1 / n[1])
        margin: float = getattr(self, measured.measure.margin)

        def power(n_real: int, n_simulated: int) -> float:
            units = (points.n_units[0] * n_real / n[0], points.n_units[1] * n_simulated / n[1])
            if min(units) < MIN_TO_ALIGN:
                return 0.0
            return normal_power(margin, sqrt(variance * (1 / n_real + 1 / n_simulated)), z=z)

        return needed(power, n)

    def _finding(
        self,
        measure: Measure,
        decision: Decision,
        details: dict[str, JsonValue],
        *,
        n: tuple[int, int],
        seed: int,
        measured: Measured | None = None,
        p_adjusted: float | None = None,
    ) -> Finding:
        reach = 1.96 * measured.standard_error if measured else 0.0
        baseline = measured.human_baseline if measured else None
        statistic = measured.statistic if measured and p_adjusted is not None else None
        return Finding(
            validator=self.name,
            metric=measure.name,
            question=measure.question,
            estimate=measured.estimate if measured else None,
            unit=measure.unit,
            interval=(measured.estimate - reach, measured.estimate + reach) if measured else None,
            p_value=None if statistic is None else permutation_p_value(float(statistic[0]), statistic[1:]),
            p_adjusted=p_adjusted,
            noise_floor=HumanBaseline(mean=baseline[0], q95=baseline[1]) if baseline else None,
            verdict=decision.verdict,
            reason=decision.reason,
            n_real=n[0],
            n_simulated=n[1],
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )
