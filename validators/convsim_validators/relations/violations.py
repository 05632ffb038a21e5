"""A relation that nobody may break: how many personas did, and how many may."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convsim.schema import Corpus
from convsim.stats.decision import Judgement
from convsim.stats.ecdf import FloatArray
from convsim.stats.units import independent_units

CEILING = 0.05
"""A share of personas beyond the tolerated one that must be ruled out."""
LEVEL = 0.95


@dataclass(frozen=True)
class Violations:
    """Personas with at least one conversation that breaks a relation."""

    n_personas: int
    n_violating: int
    n_conversations: int

    @classmethod
    def of(cls, corpus: Corpus, values: FloatArray) -> Violations:
        """Count; ``values``, shape (conversations,), are above 0 where broken and NaN where it cannot be told."""
        defined = ~np.isnan(values)
        units = independent_units(corpus)
        return cls(len(set(units[defined])), len(set(units[values > 0])), int(defined.sum()))

    @property
    def share(self) -> float | None:
        """Share of personas; None without one."""
        return self.n_violating / self.n_personas if self.n_personas else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Clopper and Pearson's (1934) 95 % interval of the share."""
        return clopper_pearson(self.n_violating, self.n_personas) if self.n_personas else None

    def judge(self, tolerance: float) -> Judgement:
        """Different with more violations than tolerated; aligned where a share 5 % beyond that is ruled out."""
        share, interval = self.share, self.interval
        if share is None or interval is None:
            return Judgement(
                "undecided", "no persona has this metric: what it judges was not done or is not known"
            )
        found = f"{self.n_violating} of {self.n_personas} personas break it"
        if share > tolerance:
            more = f", more than the tolerated {tolerance:.3g}" if tolerance else ""
            return Judgement("different", f"{found}{more}")
        limit = tolerance + CEILING
        if interval[1] <= limit:
            return Judgement(
                "aligned", f"{found}, and at most {interval[1]:.3g} of all do (95 % Clopper-Pearson)"
            )
        needed = self._n_to_decide(limit)
        reason = f"{found}, but up to {interval[1]:.3g} of all may (95 % Clopper-Pearson)"
        return Judgement("undecided", f"{reason}; {needed} personas at this share would settle it", needed)

    def _n_to_decide(self, limit: float) -> int:
        """Return the smallest number of personas at which the same share would be aligned."""
        n = self.n_personas
        while clopper_pearson(round(self.n_violating * n / self.n_personas), n)[1] > limit:
            n += 1 + n // 100
        return n


def clopper_pearson(successes: int, trials: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share."""
    from scipy.stats import binomtest

    limits = binomtest(successes, trials).proportion_ci(LEVEL, method="exact")
    return float(limits.low), float(limits.high)
