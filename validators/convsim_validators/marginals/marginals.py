"""Are the simulated shoppers' habits distributed as people's, metric by metric? (the paper's PLSA)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from convsim.schema import Corpus, Finding, PlannedFinding, SimulatorScore
from convsim.seeds import child_seed
from convsim_validators.marginals.planning import QUESTION, Habits
from convsim_validators.marginals.ranking import MeanDistances
from convsim_validators.metric_tests.metric_tests import MetricTests


@dataclass(frozen=True, kw_only=True)
class Marginals(MetricTests):
    """Compares each metric's distribution: Kolmogorov-Smirnov distance, Cliff's delta, Wasserstein distance.

    H0, per metric: real and simulated conversations of a stratum (task and arm) are exchangeable by unit. What
    `aligned`, `different` and `all_metrics` stand on is said in ``MetricTests``. Metrics that another validator
    judges (``Metric.judged_by``) are left to it.

    Source:
        Meshi et al. (2026), ConvApparel, section on population-level statistical alignment; the human baseline, the
        margin and the interval are ours (validators/README.md).
    """

    name: ClassVar[str] = "marginals"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "Meshi et al. (2026), ConvApparel, arXiv 2602.16938: population-level statistical alignment"
    )
    question: ClassVar[str] = QUESTION

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return one finding a metric that both tables have, and one of all metrics together."""
        return self.compare_metrics(self._own(real), simulated, seed=seed).findings

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

    def plan(self, real: Corpus, *, n_simulated: Sequence[int], seed: int) -> Sequence[PlannedFinding]:
        """Return the power of each metric's test of equivalence, and of all metrics together."""
        return list(Habits.of(real, self.margins_of, self.joint_rule, self.source).plan(n_simulated, seed))

    def _own(self, corpus: Corpus) -> Corpus:
        kept = {name: metric for name, metric in corpus.metrics.items() if metric.judged_by == self.name}
        return replace(corpus, metrics=kept)
