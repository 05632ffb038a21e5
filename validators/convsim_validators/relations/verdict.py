"""The verdict on a relation: it holds, its opposite holds, it is broken, or it needs more data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import FloatArray
from convsim.stats.decision import (
    ALPHA,
    EQUIVALENCE_LEVEL,
    MAX_GROWTH,
    MIN_UNITS,
    Judgement,
    grown,
)
from convsim.stats.sample_size import growth_beyond, growth_to_align
from convsim_validators.relations.paired_change import PairedChange
from convsim_validators.relations.relation import Relation


@dataclass(frozen=True)
class Tested:
    """A directional relation and the change that was found."""

    relation: Relation
    change: PairedChange

    @property
    def _threshold(self) -> float:
        """Where the relation begins to hold, in its own direction."""
        tolerance = self.relation.tolerance
        return tolerance if self.relation.expects_change else -tolerance

    @cached_property
    def p_value(self) -> float:
        """H0: the relation does not hold."""
        return self._p_beyond(self._threshold, with_it=True)

    @cached_property
    def p_opposite(self) -> float:
        """H0: there is no change against the relation beyond its tolerance."""
        return self._p_beyond(self.relation.tolerance, with_it=False)

    def _p_beyond(self, threshold: float, *, with_it: bool) -> float:
        """Test that the change exceeds ``threshold``, counted in the relation's direction or against it."""
        upwards = self.relation.upwards == with_it
        return self.change.p_above(threshold) if upwards else self.change.p_below(-threshold)

    @property
    def margin(self) -> float | None:
        """The change below which an expected one is none; None where none is expected."""
        if not self.relation.expects_change:
            return None
        stated = self.change.default_margin if self.relation.margin is None else self.relation.margin
        return max(stated, self.relation.tolerance) or None

    @cached_property
    def equivalence(self) -> tuple[float, float]:
        """The 90 % interval that must lie inside the margin, an imagined persona at either bound included."""
        return self.change.mean.interval(EQUIVALENCE_LEVEL)

    @property
    def untestable(self) -> Judgement | None:
        """Why nothing can be decided whatever was found; None where something can."""
        if self.change.n_units < MIN_UNITS:
            return Judgement(
                "undecided",
                f"{self.change.n_units} personas have this metric with the bare agent and with the degraded one; at "
                f"least {MIN_UNITS} are needed",
                MIN_UNITS,
            )
        if not self.change.bound:
            return Judgement("undecided", "always has the same value, and its bounds are unknown")
        return None

    def judge(self, p_adjusted: float, p_opposite: float) -> Judgement:
        """Give the verdict, with both one-sided p-values adjusted."""
        found = f"{self._change_in_words()} over {self.change.n_units} personas"
        if p_adjusted <= ALPHA:
            still = "" if self.relation.expects_change else "; this does not mean that they react"
            return Judgement("aligned", f"holds: {found} (one-sided, adjusted p = {p_adjusted:.3g}){still}")
        if p_opposite <= ALPHA:
            return Judgement(
                "reacts_wrong_way",
                f"the opposite is shown: {found} (one-sided, adjusted p = {p_opposite:.3g})",
            )
        low, high = self.equivalence
        reach = f"90 % interval {low:.3g} to {high:.3g}"
        if self.margin is not None and -self.margin <= low and high <= self.margin:
            return Judgement(
                "does_not_react", f"a change is expected but there is none: {reach}, within {self.margin:.3g}"
            )
        reason = f"{found}: {self.relation.direction} is not shown (adjusted p = {p_adjusted:.3g}); {reach}"
        growth = self._growth((high - low) / 2)
        if growth >= MAX_GROWTH:
            return Judgement("undecided", reason)
        needed = grown(self.change.n_units, growth)
        shown = (
            "there is no change, if there is none" if self.relation.expects_change else "it holds, if it does"
        )
        return Judgement("undecided", f"{reason}; about {needed} personas would show that {shown}", needed)

    def _growth(self, half_width: float) -> float:
        """By what factor must the personas grow to decide in four of five samples if nothing changes?"""
        if not self.relation.expects_change:
            return growth_beyond(self.relation.tolerance, half_width)
        return growth_to_align(half_width, self.margin or 0.0)

    def _change_in_words(self) -> str:
        of_what = "slope" if self.relation.compare == "slope" else "change"
        tolerance = f", tolerance {self.relation.tolerance:g}" if self.relation.tolerance else ""
        return f"mean {of_what} {self.change.estimate:+.3g}{tolerance}"


CEILING = 0.05
"""A proportion of personas beyond the tolerated one that must be ruled out."""
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
        units = corpus.units
        return cls(len(set(units[defined])), len(set(units[values > 0])), int(defined.sum()))

    @property
    def share(self) -> float | None:
        """Proportion of personas; None without one."""
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
                "undecided", "no persona has this metric: what it measures did not happen or is not recorded"
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
        return Judgement("undecided", f"{reason}; {needed} personas at this proportion would decide", needed)

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
