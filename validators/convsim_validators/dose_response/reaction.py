"""What is found of one metric on a ladder of severities, or of all metrics at once, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convsim._text import listed
from convsim.metrics.expectations import Expectation
from convsim.schema import Metric
from convsim.schema.arrays import BoolArray
from convsim.stats.decision import ALPHA, MAX_GROWTH, MIN_UNITS, Judgement, grown
from convsim.stats.multiplicity import permutation_p_value
from convsim.stats.sample_size import growth_to_align
from convsim_validators.dose_response.trend import Trends, TrendTest

_NEEDED = "about {} personas would show that they do not react, if they do not"
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
    def growth(self) -> float:
        """By what factor the personas must grow for the slope to be shown inside the margin, if it is none."""
        if self.equivalence is None or self.margin is None:
            return MAX_GROWTH
        low, high = self.equivalence
        return growth_to_align((high - low) / 2, self.margin)

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
            found = f"{way} with severity" if shown <= ALPHA else "no trend is shown"
            why = self.metric.no_reaction or "the direction expected of people is unknown"
            return Judgement("undecided", f"not judged, {why}: {found} ({trend})")
        if shown <= ALPHA and self.z * self.slope > 0:
            return self._trending(self.expected, way, trend)
        if self.inside and self.equivalence is not None:
            return Judgement(
                "does_not_react",
                f"the 90 % interval of the slope, {self.equivalence[0]:.3g} to {self.equivalence[1]:.3g}, is within "
                f"the margin of {self.margin:.3g}; in people it {self._in_people}",
            )
        return self._undecided(trend)

    def _trending(self, expected: Expectation, way: str, trend: str) -> Judgement:
        small = ", but the slope is within the margin" if self.inside else ""
        if (self.z > 0) == (expected.direction == "increase"):
            return Judgement("aligned", f"{way} with severity, as is expected of people ({trend}){small}")
        return Judgement(
            "reacts_wrong_way",
            f"{way} with severity ({trend}); in people it {self._in_people}{small}",
        )

    def _undecided(self, trend: str) -> Judgement:
        reached = (
            f"the slope could be {self.equivalence[0]:.3g} to {self.equivalence[1]:.3g} (90 % interval)"
            if self.equivalence
            else "the slope has no interval"
        )
        against = (
            f"beyond the margin of {self.margin:.3g}"
            if self.margin
            else "and without variation at severity 0 there is no margin"
        )
        reason = f"no trend is shown ({trend}), and {reached}, {against}"
        if self.growth >= MAX_GROWTH:
            return Judgement("undecided", reason)
        needed = grown(self.n_units, self.growth)
        return Judgement("undecided", f"{reason}; {_NEEDED.format(needed)}", needed)

    def _unmeasurable(self) -> Judgement:
        if self.n_units >= MIN_UNITS:
            return Judgement("undecided", "always has the same value, so no trend can show")
        where = "at every severity" if self.test == "page" else "at all"
        return Judgement(
            "undecided",
            f"{self.n_units} personas have this metric {where}; at least {MIN_UNITS} are needed",
            MIN_UNITS,
        )


MAX_NAMED = 8


@dataclass(frozen=True)
class AnyReaction:
    """The largest of all trends against its permutations."""

    judgement: Judgement
    largest: float | None = None
    p_value: float | None = None
    moving: tuple[str, ...] = ()
    """The metrics that move, strongest first, corrected for their number."""


def any_reaction(reactions: Sequence[Reaction], trends: Trends, joint: BoolArray) -> AnyReaction:
    """Compare the largest |z| with its joint permutations: the same permutation for all metrics.

    H0: nothing that a persona does depends on severity. Rejecting it says that shoppers react, not that they react as
    people do.

    Args:
        reactions: One a metric.
        trends: The same, with the joint permutations.
        joint: Shape (metrics,): the metrics of the question.

    Returns:
        Undecided where no metric can be tested.

    Source:
        Westfall and Young (1993), Resampling-based multiple testing: the single-step largest statistic.
    """
    asked = [i for i, included in enumerate(joint) if included]
    if not asked:
        most = max((r.n_units for r in reactions), default=0)
        reason = (
            f"no metric varies over at least {MIN_UNITS} personas (at most {most}), so nothing can be tested"
        )
        return AnyReaction(Judgement("undecided", reason, MIN_UNITS if most < MIN_UNITS else None))
    sizes = np.abs(trends.z)
    largest = float(sizes[asked].max())
    p_value = permutation_p_value(largest, trends.largest)
    moving = [
        reactions[i]
        for i in sorted(asked, key=lambda i: -sizes[i])
        if permutation_p_value(float(sizes[i]), trends.largest) <= ALPHA
    ]
    judgement = _judge([reactions[i] for i in asked], moving, p_value)
    return AnyReaction(judgement, largest, p_value, tuple(r.metric.name for r in moving))


def _judge(asked: list[Reaction], moving: list[Reaction], p_value: float) -> Judgement:
    if moving:
        named = listed([f"{r.metric.name} {'rises' if r.z > 0 else 'falls'}" for r in moving], MAX_NAMED)
        return Judgement(
            "aligned",
            f"shoppers react (p = {p_value:.3g} over {len(asked)} metrics): {named}; this does not "
            "mean that they react as people do",
        )
    wide = [r for r in asked if not r.inside]
    if not wide:
        return Judgement(
            "does_not_react",
            f"no trend is shown (p = {p_value:.3g} over {len(asked)} metrics), and every slope is within its margin",
        )
    reason = (
        f"no trend is shown (p = {p_value:.3g} over {len(asked)} metrics), but {len(wide)} slopes may be beyond their "
        f"margins, such as that of {wide[0].metric.name}"
    )
    growth = max(r.growth for r in wide)
    if growth >= MAX_GROWTH:
        return Judgement("undecided", reason)
    needed = grown(max(r.n_units for r in asked), growth)
    return Judgement("undecided", f"{reason}; {_NEEDED.format(needed)}", needed)
