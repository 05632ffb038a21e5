"""The finding that sums reactions up: by what proportion of people's shifts do simulated shoppers shift?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import JsonValue

from convsim.schema import Finding, Interval, Needs
from convsim.stats.reaction_ratio import largest_change
from convsim_validators.counterfactual.influence import Together
from convsim_validators.counterfactual.ratio_decision import MIN_UNITS, Limits, Rule, reaction
from convsim_validators.counterfactual.ratio_needs import needed
from convsim_validators.counterfactual.shift_decision import Reaction
from convsim_validators.counterfactual.shift_finding import SOURCE, VALIDATOR, VERSION, Frame
from convsim_validators.counterfactual.shifts import SIDES, MetricShift, Pair
from convsim_validators.counterfactual.two_arm import ArmSide

NAME = "reaction_ratio"


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
    reason, needs = _reason(together, limits, rule, verdict if enough else "few"), None
    if verdict == "undecided":
        needs, would = needed(together.shifts, limits, sides, n_units, rule)
        reason += f"; {would}"
    return finding.but(
        estimate=limits.estimate,
        interval=limits.wide,
        verdict=verdict,
        reason=reason,
        details=_details(together, limits, frame, rule) | _sizes(n_units, needs),
    )


def _units(side: ArmSide) -> Pair:
    control, treated = (len(np.unique(side.unit_of[side.arm_of == arm])) for arm in (0, 1))
    return control, treated


def _reason(together: Together, limits: Limits, rule: Rule, verdict: Reaction | Literal["few"]) -> str:
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
        return said["undecided" if verdict == "few" else verdict]
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
        "few": f"fewer than {MIN_UNITS} users or personas of an arm, on either side, decide nothing",
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
