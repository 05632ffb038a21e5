"""Do simulated shoppers reveal what they want when people do, and as people do?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from convsim.metrics import DISCLOSURE_METRICS, measure_family
from convsim.metrics.disclosure import TOLD_FIRST, told_by
from convsim.schema import Corpus, Finding
from convsim_validators.metric_tests.metric_tests import MetricTests

N_TURNS = 5
"""Up to which it is said how much is told."""


@dataclass(frozen=True, kw_only=True)
class Disclosure(MetricTests):
    """Compares when users tell what they want, how much of it unasked, and how they answer, ask and hedge.

    People name things that they know and keep others back: each rate is held against theirs. H0 and the tests are those
    of ``MetricTests``.

    Source:
        The metrics name theirs; the tests are those of ``marginals``.
    """

    name: ClassVar[str] = "disclosure"
    version: ClassVar[str] = "1"
    source: ClassVar[str] = (
        "convsim; after Radlinski and Craswell (2017), A theoretical framework for conversational search, CHIIR, on "
        "what users reveal"
    )
    question: ClassVar[str] = (
        "Do simulated shoppers reveal what they want as people do, all metrics together?"
    )

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        """Return one finding a metric of disclosure, and one of all of them together."""
        sides = measure_family(real, simulated, DISCLOSURE_METRICS.values())
        *findings, together = self.compare_metrics(*sides, seed=seed).findings
        return [*findings, _with_turns(together, *sides)]


def _with_turns(finding: Finding, real: Corpus, simulated: Corpus) -> Finding:
    """Say too how much of what users tell is told by each turn, where that is defined on both sides."""
    import numpy as np

    if not finding.details or any(TOLD_FIRST.name in side.undefined for side in (real, simulated)):
        return finding
    by_turn: dict[str, list[JsonValue]] = {}
    for name, side in (("real", real), ("simulated", simulated)):
        told = [told_by(side.columns, turn) for turn in range(1, N_TURNS + 1)]
        if np.isnan(told[0]).all():
            return finding
        by_turn[name] = [float(np.nanmean(proportions)) for proportions in told]
    return Finding.model_validate({**dict(finding), "details": {**finding.details, "told_by_turn": by_turn}})
