"""How many more conversations, and of which side, would decide whether all reactions together are as people's."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from convsim.schema import Needs
from convsim.schema.arrays import FloatArray
from convsim.stats.reaction_ratio import (
    JointShifts,
    least_factor,
    limit_where_nothing_shifts,
    power_of_a_perfect_simulator,
)
from convsim.stats.sample_size import POWER
from convsim_validators.counterfactual.ratio_decision import MIN_UNITS, Limits, Rule
from convsim_validators.counterfactual.shifts import Pair
from convsim_validators.counterfactual.two_arm import ArmSide

Factors = tuple[float, float]
"""Of people, and of the simulated side."""
MAX_GROWTH = 1000.0
"""Of people, beyond which no number is told."""
MAX_RATIO = 10
"""Simulated conversations for one of people beyond which more of them are not asked for."""


def needed(
    shifts: JointShifts, limits: Limits, sides: Sequence[ArmSide], n_units: tuple[Pair, Pair], rule: Rule
) -> tuple[Needs | None, str]:
    """Count the conversations that would show a simulator like people to be so in four of five cases.

    More simulated ones where these suffice, at most ten for one of people; else more of people, and of simulated ones
    in proportion. People's shifts are taken as seen, and for nothing where they have no ratio.

    Returns:
        How many of which side, None where no number would help; and the same in words.
    """
    least = (max(1.0, MIN_UNITS / max(min(n_units[0]), 1)), max(1.0, MIN_UNITS / max(min(n_units[1]), 1)))
    most = MAX_RATIO * min(n_units[0]) / max(min(n_units[1]), 1)
    if limits.wide is None:
        would = "to show that nobody shifts, if nobody does"
        growth = _growth_where_nothing_shifts(shifts, limits, least, rule)
    else:
        would = "to show that they react alike, if they do"
        growth = _growth(shifts, least, most, rule)
    if growth is None:
        return None, f"no number of conversations is known that suffices {would}"
    if growth == (1.0, 1.0):
        return None, f"this much data suffices in four of five cases {would}"
    people, simulated = growth
    if people == 1:
        needs, who = Needs(side="simulated", more=_more(sides[1], simulated)), "simulated conversations"
    else:
        needs, who = Needs(side="people", more=_more(sides[0], people)), "conversations of people"
        who += ", and simulated ones in proportion," if simulated > 1 else ""
    return needs, f"about {needs.more:,} more {who} are needed {would}"


def _growth(shifts: JointShifts, least: Factors, most: float, rule: Rule) -> Factors | None:
    """By what factors must people and the simulated side grow for the ratio of a perfect simulator to be shown?"""

    def enough(people: float, simulated: float) -> bool:
        growth = people, max(simulated, least[1])
        return power_of_a_perfect_simulator(shifts, growth, margin=rule.margin, z=rule.one_sided) >= POWER

    if least == (1.0, 1.0) and enough(1.0, 1.0):
        return 1.0, 1.0
    if least[0] == 1.0 and most > least[1] and enough(1.0, most):
        return 1.0, least_factor(lambda factor: enough(1.0, factor), (least[1], most))
    if not enough(MAX_GROWTH, MAX_GROWTH):
        return None
    both = least_factor(lambda factor: enough(factor, factor), (least[0], MAX_GROWTH))
    return both, both


def _growth_where_nothing_shifts(
    shifts: JointShifts, limits: Limits, least: Factors, rule: Rule
) -> Factors | None:
    """By what factors must they grow for the shifts of both to be shown to be nothing, if they are?

    A side of which that is shown already stays as it is.
    """
    growth = []
    for covariance, shown, at_least in zip(
        shifts.blocks[:2], (limits.people_rms[1], limits.simulated_rms[1]), least, strict=True
    ):

        def enough(factor: float, covariance: FloatArray = covariance) -> bool:
            return limit_where_nothing_shifts(covariance / factor, rule.one_sided) <= rule.margin_sd

        if shown <= rule.margin_sd:
            growth.append(at_least)
        elif enough(MAX_GROWTH):
            growth.append(least_factor(enough, (at_least, MAX_GROWTH)))
        else:
            return None
    return growth[0], growth[1]


def _more(side: ArmSide, growth: float) -> int:
    """Return how many conversations are missing, rounded up to two figures."""
    more = max(1, ceil(len(side.corpus) * (growth - 1)))
    step = 10 ** max(len(str(more)) - 2, 0)
    return int(-(-more // step) * step)
