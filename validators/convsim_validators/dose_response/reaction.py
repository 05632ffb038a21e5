"""What is found of one metric on a ladder, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass

from convsim.metrics.expectations import Expectation
from convsim.schema import Metric
from convsim.stats.decision import ALPHA, MAX_GROWTH, MIN_UNITS, Judgement, grown
from convsim.stats.sample_size import TWO_SIDED, growth_beyond, growth_inside
from convsim_validators.dose_response.trend import TrendTest

TEST_NAMES: dict[TrendTest, str] = {"page": "Page's L", "jonckheere_terpstra": "Jonckheere-Terpstra"}


@dataclass(frozen=True)
class Reaction:
    """How one metric changes with severity."""

    metric: Metric
    expected: Expectation | None
    test: TrendTest
    n_units: int
    varies: bool
    """Whether the metric takes more than one value."""
    slope: float
    interval: tuple[float, float] | None
    equivalence: tuple[float, float] | None
    """The 90 % interval that must lie inside the margin."""
    margin: float | None
    p_value: float
    z: float

    @property
    def measurable(self) -> bool:
        """Whether there is enough of the metric to test anything."""
        return self.n_units >= MIN_UNITS and self.varies

    @property
    def inside(self) -> bool:
        """Whether the slope is shown to lie inside the margin."""
        return (
            self.margin is not None
            and self.equivalence is not None
            and -self.margin <= self.equivalence[0]
            and self.equivalence[1] <= self.margin
        )

    @property
    def growth_inside(self) -> float:
        """The factor by which the personas must grow for the slope to be shown inside the margin."""
        return growth_inside(self.slope, self._half_width, self.margin)

    @property
    def _half_width(self) -> float:
        low, high = self.equivalence or (0.0, 0.0)
        return (high - low) / 2

    @property
    def _in_people(self) -> str:
        if self.expected is None:
            return "is not known"
        way = "rises" if self.expected.direction == "increase" else "falls"
        return f"{way} ({self.expected.source})"

    def judge(self, p_adjusted: float | None) -> Judgement:
        """Apply the rule: a shown trend first, then equivalence, and else how many would settle it."""
        if not self.measurable:
            return self._unmeasurable()
        shown = self.p_value if p_adjusted is None else p_adjusted
        trend = f"{TEST_NAMES[self.test]}, {'' if p_adjusted is None else 'adjusted '}p = {shown:.3g}"
        way = "rises" if self.z > 0 else "falls"
        if self.expected is None:
            said = f"{way} with severity" if shown <= ALPHA else "no trend is shown"
            why = self.metric.no_reaction or "which way people would react is not known"
            return Judgement("undecided", f"shown only, {why}: {said} ({trend})")
        if shown <= ALPHA and self.z * self.slope > 0:
            return self._trending(self.expected, way, trend)
        if self.inside and self.equivalence is not None:
            return Judgement(
                "does_not_react",
                f"the 90 % interval of the slope, {self.equivalence[0]:.3g} to {self.equivalence[1]:.3g}, lies inside "
                f"the margin of {self.margin:.3g}; in people it {self._in_people}",
            )
        return self._undecided(trend)

    def _trending(self, expected: Expectation, way: str, trend: str) -> Judgement:
        small = "; but the slope lies inside the margin" if self.inside else ""
        if (self.z > 0) == (expected.direction == "increase"):
            return Judgement("aligned", f"{way} with severity, as is expected of people ({trend}){small}")
        return Judgement(
            "reacts_wrong_way",
            f"{way} with severity ({trend}); in people it {self._in_people}{small}",
        )

    def _undecided(self, trend: str) -> Judgement:
        half = self._half_width
        growth = min(self.growth_inside, growth_beyond(abs(self.slope), half, errors=TWO_SIDED))
        reached = (
            f"the 90 % interval of the slope reaches from {self.equivalence[0]:.3g} to {self.equivalence[1]:.3g}"
            if self.equivalence
            else "the slope has no interval"
        )
        against = (
            f"past the margin of {self.margin:.3g}"
            if self.margin
            else "and without spread at severity 0 there is no margin"
        )
        reason = f"no trend is shown ({trend}), and {reached}, {against}"
        if growth >= MAX_GROWTH:
            return Judgement("undecided", reason)
        needed = grown(self.n_units, growth)
        return Judgement("undecided", f"{reason}; about {needed} personas would settle it", needed)

    def _unmeasurable(self) -> Judgement:
        if self.n_units >= MIN_UNITS:
            return Judgement(
                "undecided", "takes one and the same value throughout: there is nothing to see a trend in"
            )
        where = "at every severity" if self.test == "page" else "at all"
        return Judgement(
            "undecided",
            f"{self.n_units} personas have this metric {where}; at least {MIN_UNITS} are needed to decide anything",
            MIN_UNITS,
        )
