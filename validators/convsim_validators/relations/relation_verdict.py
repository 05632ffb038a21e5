"""The verdict on a directional relation: it holds, its opposite holds, nothing changes, or nobody knows yet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from convsim.stats.decision import (
    ALPHA,
    EQUIVALENCE_LEVEL,
    MAX_GROWTH,
    MIN_UNITS,
    Judgement,
    grown,
)
from convsim.stats.sample_size import ONE_SIDED, growth_beyond, growth_inside
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
                f"least {MIN_UNITS} are needed to decide anything",
                MIN_UNITS,
            )
        if not self.change.bound:
            return Judgement(
                "undecided", "takes one and the same value throughout, and its bounds are not known"
            )
        return None

    def judge(self, p_adjusted: float, p_opposite: float) -> Judgement:
        """Give the verdict, with both one-sided p-values adjusted."""
        found = f"{self._change_in_words()} over {self.change.n_units} personas"
        if p_adjusted <= ALPHA:
            still = (
                ""
                if self.relation.expects_change
                else "; that nothing got worse does not say that they react"
            )
            return Judgement("aligned", f"holds: {found} (one-sided, adjusted p = {p_adjusted:.3g}){still}")
        if p_opposite <= ALPHA:
            return Judgement(
                "reacts_wrong_way",
                f"the opposite is shown: {found} (one-sided, adjusted p = {p_opposite:.3g})",
            )
        low, high = self.equivalence
        reach = f"the 90 % interval reaches from {low:.3g} to {high:.3g}"
        if self.margin is not None and -self.margin <= low and high <= self.margin:
            return Judgement(
                "does_not_react", f"a change is expected and none is there: {reach}, inside {self.margin:.3g}"
            )
        reason = f"{found}: {self.relation.direction} is not shown (adjusted p = {p_adjusted:.3g}); {reach}"
        growth = self._growth((high - low) / 2)
        if growth >= MAX_GROWTH:
            return Judgement("undecided", reason)
        needed = grown(self.change.n_units, growth)
        return Judgement("undecided", f"{reason}; about {needed} personas would settle it", needed)

    def _growth(self, half_width: float) -> float:
        change = self.change.estimate if self.relation.upwards else -self.change.estimate
        inside = (
            growth_inside(change, half_width, self.margin) if self.relation.expects_change else MAX_GROWTH
        )
        return min(
            growth_beyond(change - self._threshold, half_width, errors=ONE_SIDED),
            growth_beyond(-change - self.relation.tolerance, half_width, errors=ONE_SIDED),
            inside,
        )

    def _change_in_words(self) -> str:
        of_what = "slope" if self.relation.compare == "slope" else "change"
        tolerance = f", tolerance {self.relation.tolerance:g}" if self.relation.tolerance else ""
        return f"mean {of_what} {self.change.estimate:+.3g}{tolerance}"
