"""The finding that sums reactions up: by what proportion of people's shifts do simulated shoppers shift?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import numpy as np
from pydantic import JsonValue

from convsim.schema import Finding, Interval, Needs
from convsim.stats.reaction_ratio import (
    JointShifts,
    largest_change,
    least_factor,
    power_of_a_perfect_simulator,
    root_mean_square_limits,
)
from convsim.stats.sample_size import POWER
from convsim_validators.counterfactual.influence import Together
from convsim_validators.counterfactual.shift_decision import Reaction
from convsim_validators.counterfactual.shift_finding import SOURCE, VALIDATOR, VERSION, Frame
from convsim_validators.counterfactual.shifts import SIDES, MetricShift, Pair
from convsim_validators.counterfactual.two_arm import ArmSide

NAME = "reaction_ratio"
MIN_UNITS = 40
"""Users or personas an arm, on both sides, below which there is an interval and no verdict: from there on wrong
verdicts are shown to be as rare as they should be (tests/calibration)."""
MAX_GROWTH = 1000.0
"""Of people, beyond which no number is told."""
MAX_RATIO = 10
"""Simulated conversations for one of people beyond which more of them are not asked for."""


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


def ratio_finding(
    sides: Sequence[ArmSide], judged: Sequence[MetricShift], frame: Frame, rule: Rule
) -> Finding:
    """Judge the reactions in all metrics together.

    Args:
        sides: People, then the simulator.
        judged: The metrics that count, which may be none.
        frame: Arms and settings.
        rule: Margins and the error rate.
    """
    finding = Finding(
        validator=VALIDATOR,
        metric=NAME,
        question=f"From {frame.arms.control[:80]} to {frame.arms.treatment[:80]}, by what proportion of people's "
        "shifts do simulated shoppers shift, over all metrics?",
        unit="ratio",
        level=1 - rule.alpha,
        verdict="undecided",
        reason="no metric can be judged",
        n_real=len(sides[0].corpus),
        n_simulated=len(sides[1].corpus),
        seed=frame.seed,
        version=VERSION,
        source=SOURCE,
    )
    if not judged:
        return finding
    together = Together.of(sides, judged)
    limits = Limits.of(together.shifts, rule)
    n_units = (_units(sides[0]), _units(sides[1]))
    enough = min(map(min, n_units)) >= MIN_UNITS
    verdict = reaction(limits, rule) if enough else "undecided"
    reason = _reason(together, limits, rule, verdict)
    needs = None
    if verdict == "undecided" and limits.wide is not None:
        needs, would = needed(together.shifts, sides, n_units, rule)
        reason += f"; {would}"
    elif not enough:
        reason += f"; at least {MIN_UNITS} users or personas an arm are needed on both sides"
    return finding.but(
        estimate=limits.estimate,
        interval=limits.wide,
        verdict=verdict,
        reason=reason,
        details=_details(together, limits, frame, rule) | _sizes(n_units, needs),
    )


def needed(
    shifts: JointShifts, sides: Sequence[ArmSide], n_units: tuple[Pair, Pair], rule: Rule
) -> tuple[Needs | None, str]:
    """Count the conversations that would show a simulator like people to be so in four of five cases.

    More simulated ones where these suffice, at most ten for one of people; else more of people, and of simulated ones
    in proportion. People's shifts are taken as seen.

    Returns:
        How many of which side, None where no number would help; and the same in words.
    """
    least = [max(1.0, MIN_UNITS / max(min(pair), 1)) for pair in n_units]

    def enough(people: float, simulated: float) -> bool:
        power = power_of_a_perfect_simulator(
            shifts, (people, max(simulated, least[1])), margin=rule.margin, z=rule.one_sided
        )
        return power >= POWER

    alike = "to show that they react alike, if they do"
    if least == [1.0, 1.0] and enough(1.0, 1.0):
        return None, "if they reacted as people do, this much data would show it in four of five cases"
    most = MAX_RATIO * min(n_units[0]) / max(min(n_units[1]), 1)
    if least[0] == 1.0 and most > least[1] and enough(1.0, most):
        growth = least_factor(lambda factor: enough(1.0, factor), (least[1], most))
        more = _more(sides[1], growth)
        return Needs(
            side="simulated", more=more
        ), f"about {more:,} more simulated conversations are needed {alike}"
    if not enough(MAX_GROWTH, MAX_GROWTH):
        return None, f"no number of conversations is known that suffices {alike}"
    growth = least_factor(lambda factor: enough(factor, factor), (least[0], MAX_GROWTH))
    more = _more(sides[0], growth)
    return Needs(side="people", more=more), (
        f"about {more:,} more conversations of people, and simulated ones in proportion, are needed {alike}"
    )


def _more(side: ArmSide, growth: float) -> int:
    """Return how many conversations are missing, rounded up to two figures."""
    more = max(1, ceil(len(side.corpus) * (growth - 1)))
    step = 10 ** max(len(str(more)) - 2, 0)
    return int(-(-more // step) * step)


def _units(side: ArmSide) -> Pair:
    control, treated = (len(np.unique(side.unit_of[side.arm_of == arm])) for arm in (0, 1))
    return control, treated


def _reason(together: Together, limits: Limits, rule: Rule, verdict: Reaction) -> str:
    metrics = f"over {len(together.names)} metrics"
    within = f"{rule.margin_sd:g} human standard deviations"
    if limits.wide is None or limits.narrow is None:
        low, high = limits.simulated_rms
        people = f"people hardly shift (root mean square {metrics} at most {limits.people_rms[1]:.2f}"
        said = {
            "reacts_as_people": f"{people}), nor do simulated shoppers (at most {high:.2f}): both within {within}",
            "over_reacts": f"{people}), but simulated shoppers do (at least {low:.2f}, more than {within})",
            "undecided": f"people's shifts may be nothing at all, so they have no ratio (root mean square {metrics} at "
            f"most {limits.people_rms[1]:.2f}; simulated {low:.2f} to {high:.2f}; up to {within} counts as nothing)",
        }
        return said[verdict]
    inside = f"{1 - rule.margin:g} to {1 + rule.margin:g}"
    low, high = limits.narrow
    narrow = f"{_percent(1 - 2 * rule.alpha)} limits {low:.2f} to {high:.2f}"
    ratio = (
        f"simulated shoppers shift {limits.estimate:.2f} times as far as people {metrics} "
        f"({_percent(1 - rule.alpha)} interval {limits.wide[0]:.2f} to {limits.wide[1]:.2f})"
    )
    told = {
        "reacts_as_people": f"the {narrow} lie within {inside}",
        "does_not_react": f"the {narrow} lie below {1 - rule.margin:g} and reach 0",
        "reacts_wrong_way": "the interval is below 0",
        "under_reacts": f"less than people ({narrow})",
        "over_reacts": f"more than people ({narrow})",
        "undecided": f"the {narrow} do not lie within {inside}, and no difference is shown",
    }
    change = largest_change(together.shifts)
    without = ""
    if change is not None and change[1] is not None:
        without = f"; without {together.names[change[0]]}, which changes it most, {change[1]:.2f} times"
    return f"{ratio}; {told[verdict]}{without}"


def _details(together: Together, limits: Limits, frame: Frame, rule: Rule) -> dict[str, JsonValue]:
    shifts, names = together.shifts, together.names
    change = largest_change(shifts) if limits.wide is not None else None
    return {
        "role": "metric",
        "control": frame.arms.control,
        "treatment": frame.arms.treatment,
        "alpha": rule.alpha,
        "margin": rule.margin,
        "margin_sd": rule.margin_sd,
        "fieller": _limits(shifts.ratio.fieller(rule.two_sided)),
        "delta": _limits(shifts.ratio.delta(rule.two_sided) if limits.wide is not None else None),
        "equivalence_interval": _limits(limits.narrow),
        "people_rms": _limits(limits.people_rms),
        "simulated_rms": _limits(limits.simulated_rms),
        "leave_one_out": {"metric": names[change[0]], "estimate": change[1]} if change else None,
        "shifts_in_human_sd": {
            name: {"people": float(people), "simulated": float(simulated)}
            for name, people, simulated in zip(names, shifts.people, shifts.simulated, strict=True)
        },
        "n_units_on_both_sides": together.n_on_both_sides,
    }


def _sizes(n_units: tuple[Pair, Pair], needs: Needs | None) -> dict[str, JsonValue]:
    stated: dict[str, JsonValue] = {
        "n_units": {
            side: {"control": pair[0], "treatment": pair[1]}
            for side, pair in zip(SIDES, n_units, strict=False)
        },
        "n_units_needed": MIN_UNITS,
    }
    return stated if needs is None else {**stated, "needs": needs.model_dump(mode="json")}


def _percent(proportion: float) -> str:
    return f"{100 * proportion:.4g} %"


def _limits(interval: Interval | None) -> JsonValue:
    return None if interval is None else list(interval)


def _normal_quantile(probability: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(probability))
