"""Do simulated shoppers listen to the agent as people do?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field

from convsim.metrics import COHERENCE_METRICS, measure_family
from convsim.schema import Corpus, Finding
from convsim.stats.equivalence import stated
from convsim.stats.resampling import Design
from convsim_validators.coherence.pairs import Pairs
from convsim_validators.metric_tests.metric_tests import MetricTests

PAIRS = "pairs"
"""The finding of pairs of messages."""


@dataclass(frozen=True, kw_only=True)
class Coherence(MetricTests):
    """Compares how what a user says hangs together with what the agent has just said.

    H0, per metric: real and simulated conversations of a stratum (task and arm) are exchangeable by unit, as in
    ``MetricTests``. A simulator with every habit of people, whose messages answer another conversation, is found here.
    ``pairs`` asks the same of what no metric counts (``Pairs``).

    Source:
        The metrics name theirs; the tests are those of ``marginals``.
    """

    name: ClassVar[str] = "coherence"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = "convsim; after Pickering and Garrod (2004), lexical alignment in dialogue"
    joint_margin: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Of the root mean square of Cliff's delta over the few metrics of listening: users pasted in from elsewhere lie at
    .27 and more, and with the margin of habits 150 conversations would seldom decide."""
    spread_margin: Annotated[float, Field(ge=0, le=1.3)] = 0.34
    """In the same proportion to that of marginals."""
    question: ClassVar[str] = "Do simulated shoppers listen to the agent as people do, all metrics together?"

    pairs_margin: Annotated[float, Field(ge=0.5, le=1)] = 0.60
    """AUC of ``pairs`` up to which the sides count as alike: of this classifier, at these sizes."""

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return one finding a metric of listening, one of all of them together, and one of pairs of messages."""
        sides = measure_family(real, simulated, COHERENCE_METRICS.values())
        design = Design.of(*sides)
        # Dealings of all units are large: they are drawn where they are used, and none are held meanwhile.
        deal = partial(self.dealings, design, seed) if design.too_few_permutations() is None else None
        pairs = Pairs.of(*sides, deal, n_resamples=self.n_resamples, seed=seed)
        further = {} if pairs.statistic is None else {PAIRS: pairs.statistic}
        compared = self.compare_metrics(*sides, seed=seed, further=further)
        return [*compared.findings, self._of_pairs(pairs, compared.p_adjusted.get(PAIRS), seed)]

    def _of_pairs(self, pairs: Pairs, p_adjusted: float | None, seed: int) -> Finding:
        decision = pairs.decide(p_adjusted, self.pairs_margin, self.alpha)
        details = pairs.details(self.alpha) | {"margin": {"auc": self.pairs_margin}}
        reason, found = decision.reason, pairs.recognition(self.pairs_margin, self.alpha)
        if decision.verdict == "different":
            details |= {"giveaway": pairs.giveaway, "examples": pairs.examples}
        if decision.verdict == "undecided" and found and (needs := found.needs()):
            details |= stated(needs, pairs.n)
            reason += f"; if nothing tells them apart, {needs.words} would show it"
        return Finding(
            validator=self.name,
            metric=PAIRS,
            question="Do simulated shoppers answer what the agent has just said as people do?",
            estimate=found.scores.auc if found else None,
            unit="AUC",
            interval=found.scores.interval("auc") if found else None,
            p_value=pairs.p_value,
            p_adjusted=p_adjusted,
            noise_floor=pairs.baseline,
            verdict=decision.verdict,
            reason=reason,
            n_real=pairs.n[0],
            n_simulated=pairs.n[1],
            seed=seed,
            version=self.version,
            source=self.source,
            details=details,
        )
