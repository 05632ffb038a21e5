"""Does one simulated shopper stay one person, as people do?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from convsim.metrics import CONSISTENCY_METRICS, measure_family
from convsim.schema import Corpus, Finding
from convsim_validators.metric_tests.metric_tests import MetricTests


@dataclass(frozen=True, kw_only=True)
class Consistency(MetricTests):
    """Compares how far users contradict themselves, change, agree with everything or leave questions open.

    People do all of these too: each rate is held against theirs. H0 and the tests are those of ``MetricTests``.

    Source:
        The metrics name theirs; the tests are those of ``marginals``.
    """

    name: ClassVar[str] = "consistency"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "convsim; after Abdulhai et al. (2025), Consistently simulating human personas, arXiv 2511.00222"
    )
    question: ClassVar[str] = "Do simulated shoppers stay one person as people do, all metrics together?"

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return one finding a metric of consistency, and one of all of them together."""
        sides = measure_family(real, simulated, CONSISTENCY_METRICS.values())
        return self.compare_metrics(*sides, seed=seed).findings
