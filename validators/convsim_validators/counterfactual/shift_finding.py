"""The finding of one metric: both shifts, their difference and the verdict."""

from __future__ import annotations

from statistics import harmonic_mean
from typing import NamedTuple

from pydantic import JsonValue

from convsim.schema import Finding, HumanBaseline
from convsim.stats.decision import ALPHA, grown
from convsim_validators.counterfactual.shift_decision import ShiftDecision, ShiftEvidence, decide_shift
from convsim_validators.counterfactual.shifts import MIN_UNITS, SIDES, MetricShift, Pair, Shift
from convsim_validators.counterfactual.two_arm import Arms

VALIDATOR = "counterfactual"
VERSION = "1"
SOURCE = "Meshi et al. (2026), ConvApparel, arXiv 2602.16938: counterfactual validation"


class Frame(NamedTuple):
    """What all findings of one call share."""

    arms: Arms
    margin_sd: float
    n_resamples: int
    seed: int


def shift_finding(
    measured: MetricShift,
    frame: Frame,
    *,
    p_adjusted: float | None,
    difference_p: float | None = None,
    baseline: HumanBaseline | None,
    refused: str | None,
) -> Finding:
    """Judge one metric.

    Args:
        measured: Its shifts.
        frame: Arms and settings.
        p_adjusted: Of the human shift; None where the metric is in no correction.
        difference_p: Of the difference of the shifts, adjusted likewise.
        baseline: How far two halves of the control arm's people differ.
        refused: Why the two sides' labels do not compare; then no number is given.
    """
    human, simulated = measured.shifts if measured.shifts and not refused else (None, None)
    decision = _decide(measured, frame, (p_adjusted, difference_p), refused)
    metric, reason = measured.metric, decision.reason
    details = _details(measured, frame, human=human, simulated=simulated, p_adjusted=p_adjusted)
    details["difference_p_value"] = measured.difference_p_value if human else None
    details["difference_p_adjusted"] = difference_p if human else None
    if decision.verdict == "undecided":
        needed = _n_to_decide(measured, decision)
        details["n_to_decide"] = needed
        if needed:
            would = "are needed" if measured.problem else "would show that they react alike, if they do"
            reason += f"; about {needed['real']} real and {needed['simulated']} simulated conversations per arm {would}"
    if not refused and measured.problem is None:
        reason += measured.standards.caution()
    return Finding(
        validator=VALIDATOR,
        metric=metric.name,
        question=f"From {frame.arms.control[:80]} to {frame.arms.treatment[:80]}, do simulated shoppers shift in "
        f"{metric.name} as people do?",
        estimate=measured.difference if human else None,
        unit=metric.unit,
        interval=measured.difference_interval if human else None,
        p_value=human.p_value if human else None,
        p_adjusted=p_adjusted,
        noise_floor=baseline if human else None,
        verdict=decision.verdict,
        reason=reason,
        n_real=sum(measured.extents[0].n),
        n_simulated=sum(measured.extents[1].n),
        seed=frame.seed,
        version=VERSION,
        source=SOURCE,
        details=details,
    )


def evidence(
    measured: MetricShift, frame: Frame, adjusted: tuple[float | None, float | None]
) -> ShiftEvidence:
    """Gather what the rule needs; a metric in no correction stands on its plain p-values.

    Args:
        measured: Its shifts.
        frame: Arms and settings.
        adjusted: P-values of the human shift and of the difference.
    """
    human, simulated = measured.shifts
    plain = human.p_value, measured.difference_p_value
    p_value, difference_p = (
        one if other is None else other for one, other in zip(plain, adjusted, strict=True)
    )
    return ShiftEvidence(
        human=human.estimate,
        human_half=human.interval[1] - human.estimate,
        simulated=simulated.estimate,
        simulated_half=simulated.interval[1] - simulated.estimate,
        difference_half=measured.difference_interval[1] - measured.difference,
        p_value=p_value,
        margin=frame.margin_sd * measured.human_sd,
        difference_p=difference_p,
    )


def _decide(
    measured: MetricShift,
    frame: Frame,
    adjusted: tuple[float | None, float | None],
    refused: str | None,
) -> ShiftDecision:
    if refused or measured.problem:
        return ShiftDecision("undecided", refused or measured.problem or "")
    return decide_shift(evidence(measured, frame, adjusted))


def _n_to_decide(measured: MetricShift, decision: ShiftDecision) -> dict[str, JsonValue] | None:
    """Count conversations an arm, were both arms of a side as large; None where no number would help."""
    extents = measured.extents[:2]
    if decision.growth is not None:
        # Two arms tell as much as two of their harmonic mean.
        n = [grown(round(harmonic_mean(s.n)), decision.growth) for s in measured.shifts]
    elif min(min(extent.n_units) for extent in extents) < MIN_UNITS:
        n = [
            max(
                min(e.n),
                grown(min(e.n), MIN_UNITS / min(e.n_units)) if 0 < min(e.n_units) < MIN_UNITS else MIN_UNITS,
            )
            for e in extents
        ]
    else:
        return None
    return {"real": n[0], "simulated": n[1]}


def _details(
    measured: MetricShift,
    frame: Frame,
    *,
    human: Shift | None,
    simulated: Shift | None,
    p_adjusted: float | None,
) -> dict[str, JsonValue]:
    metric, sd = measured.metric, measured.human_sd
    standards = measured.standards.of_side
    shown: dict[str, JsonValue] = {
        "role": "control" if metric.no_reaction else "metric",
        "no_reaction": metric.no_reaction,
        "level": metric.level,
        "label_source": metric.label.source if metric.label else None,
        "control": frame.arms.control,
        "treatment": frame.arms.treatment,
        "human_shift": _shift(human),
        "simulated_shift": _shift(simulated),
        "human_means": _means(human),
        "simulated_means": _means(simulated),
        "human_sd": sd if sd > 0 else None,
        "margin_sd": frame.margin_sd,
        "margin": frame.margin_sd * sd if sd > 0 else None,
        "tasks": list(standards[0].tasks) if standards else [],
        "tasks_simulated": list(standards[1].tasks) if standards else [],
        "n": _by_side([s.n for s in measured.shifts] or [e.n for e in measured.extents]),
        "n_units": _by_side([s.n_units for s in measured.shifts] or [e.n_units for e in measured.extents]),
        "n_undefined": _by_side([e.n_undefined for e in measured.extents]),
        "n_resamples": frame.n_resamples,
    }
    if human is not None:
        p_value = human.p_value if p_adjusted is None else p_adjusted
        established = p_value <= ALPHA if measured.problem is None else None
        shown["human_shift"] = {**_shift(human), "p_adjusted": p_adjusted, "established": established}
    return shown


def _shift(shift: Shift | None) -> dict[str, JsonValue]:
    if shift is None:
        return {"estimate": None, "interval": None, "p_value": None}
    return {"estimate": shift.estimate, "interval": list(shift.interval), "p_value": shift.p_value}


def _means(shift: Shift | None) -> JsonValue:
    return {"control": shift.means[0], "treatment": shift.means[1]} if shift else None


def _by_side(pairs: list[Pair]) -> JsonValue:
    return {
        side: {"control": pair[0], "treatment": pair[1]} for side, pair in zip(SIDES, pairs, strict=False)
    }
