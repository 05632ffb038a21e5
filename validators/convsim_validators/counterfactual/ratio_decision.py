"""From the reaction ratio's limits to a verdict on all metrics together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from convsim.schema import Interval
from convsim.stats.reaction_ratio import JointShifts, root_mean_square_limits
from convsim_validators.counterfactual.shift_decision import Reaction

MIN_UNITS = 40
"""Users or personas an arm, on both sides, below which there is an interval and no verdict: from there on wrong
verdicts are shown to be as rare as they should be (tests/calibration)."""


class Rule(NamedTuple):
    """What a verdict stands on."""

    margin: float
    """How far from 1 the ratio of a simulator that reacts as people may lie."""
    margin_sd: float
    """The root mean square of shifts, in human standard deviations, up to which they are nothing."""
    alpha: float

    @property
    def one_sided(self) -> float:
        """Standard errors to a limit that fails in ``alpha`` of cases."""
        return _normal_quantile(1 - self.alpha)

    @property
    def two_sided(self) -> float:
        """Standard errors to limits that together fail in ``alpha`` of cases."""
        return _normal_quantile(1 - self.alpha / 2)


@dataclass(frozen=True)
class Limits:
    """The intervals that decide; the ratio's are None where people's shifts may be nothing at all."""

    estimate: float | None
    wide: Interval | None
    """At 1 - alpha."""
    narrow: Interval | None
    """At 1 - 2 alpha: two one-sided tests."""
    people_rms: Interval
    simulated_rms: Interval

    @classmethod
    def of(cls, shifts: JointShifts, rule: Rule) -> Limits:
        """Compute them."""
        wide = shifts.ratio.interval(rule.two_sided)
        of_people, of_simulated, _ = shifts.blocks
        return cls(
            shifts.ratio.estimate if wide else None,
            wide,
            shifts.ratio.interval(rule.one_sided) if wide else None,
            root_mean_square_limits(shifts.people, of_people, rule.one_sided),
            root_mean_square_limits(shifts.simulated, of_simulated, rule.one_sided),
        )


def reaction(limits: Limits, rule: Rule) -> Reaction:
    """Decide on all metrics together.

    The wrong way if the ratio is below 0, as people if it is within the margin of 1, absent if it is below the margin
    and may be 0, too weak or too strong if it is below or above 1. Limits of claims that go one way, that the ratio
    lies within or below the margin, each fail in ``alpha`` of cases; those that it is not 0 or not 1 do so together.
    Where people's shifts may be nothing, the ratio says nothing. Then reactions are as people's if the shifts of both
    sides are shown to be nothing, and too strong if only people's are and the simulated ones are shown to be more.
    """
    if limits.wide is None or limits.narrow is None:
        if limits.people_rms[1] > rule.margin_sd:
            return "undecided"
        if limits.simulated_rms[1] <= rule.margin_sd:
            return "reacts_as_people"
        return "over_reacts" if limits.simulated_rms[0] > rule.margin_sd else "undecided"
    low, high = limits.narrow
    if limits.wide[1] < 0:
        return "reacts_wrong_way"
    if 1 - rule.margin <= low and high <= 1 + rule.margin:
        return "reacts_as_people"
    if high < 1 - rule.margin:
        return "does_not_react" if low <= 0 else "under_reacts"
    if limits.wide[1] < 1:
        return "under_reacts"
    return "over_reacts" if limits.wide[0] > 1 else "undecided"


def _normal_quantile(probability: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(probability))
