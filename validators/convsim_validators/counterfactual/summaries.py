"""Findings over all metrics: agreement in direction, the joint test, and the cost of not having seen the arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import JsonValue

from convsim.schema import Finding, Interval, Verdict
from convsim.schema.arrays import FloatArray
from convsim.stats.decision import ALPHA
from convsim.stats.multiplicity import permutation_p_value
from convsim_validators.counterfactual.shift_finding import SOURCE, VALIDATOR, VERSION, Frame
from convsim_validators.counterfactual.shifts import MetricShift
from convsim_validators.counterfactual.unseen_arm import Learned, cost_of_not_seeing

CHANCE = 0.5
MIN_METRICS = 3


@dataclass(frozen=True)
class Agreement:
    """The proportion of established human shifts whose simulated shift has the same sign."""

    estimate: float
    interval: tuple[float, float]

    @property
    def verdict(self) -> Literal["reacts_as_people", "reacts_wrong_way", "undecided"]:
        """What the interval says of chance."""
        if self.interval[0] > CHANCE:
            return "reacts_as_people"
        return "reacts_wrong_way" if self.interval[1] < CHANCE else "undecided"


def directional_agreement(established: Sequence[MetricShift]) -> Agreement:
    """In what proportion of the metrics in which people shift do simulated shoppers shift the same way?

    H0: each simulated shift is as likely to go either way, a proportion of .5. A simulated shift of exactly 0 counts
    half. Whole units of both sides are drawn anew; the set of metrics is held fixed, so the interval speaks of these
    metrics, not of others that might have been measured. Says nothing of how far they shift.

    Args:
        established: The metrics whose human shift is established, at least one.
    """
    observed = _same_sign(
        np.asarray([[s.shifts[0].estimate] for s in established]),
        np.asarray([[s.shifts[1].estimate] for s in established]),
    )
    drawn = _same_sign(
        np.asarray([s.shifts[0].estimate + s.shifts[0].deviations for s in established]),
        np.asarray([s.shifts[1].estimate + s.shifts[1].deviations for s in established]),
    )
    low, high = np.quantile(drawn, [0.025, 0.975], method="inverted_cdf")
    return Agreement(float(observed[0]), (float(low), float(high)))


def _same_sign(human: FloatArray, simulated: FloatArray) -> FloatArray:
    shares: FloatArray = ((1 + np.sign(human) * np.sign(simulated)) / 2).mean(axis=0)
    return shares


@dataclass(frozen=True)
class Joint:
    """The largest |t| over metrics, and how often chance alone gives one as large."""

    t_values: dict[str, float]
    """Difference of the shifts in its standard errors, by metric."""
    largest: str
    p_value: float

    @property
    def statistic(self) -> float:
        """The largest |t|."""
        return abs(self.t_values[self.largest])


def joint_test(shifts: Sequence[MetricShift]) -> Joint | None:
    """Do simulated shoppers shift otherwise than people in at least one of these metrics?

    H0: the simulated shift equals the human one in every metric. Rejecting it says that some metric differs, most
    likely the one named; not rejecting it says nothing.

    Whole units of both sides are drawn anew, with all their metrics, so that the null keeps the metrics' correlation,
    whatever their number; deviations are stretched for small samples as each metric's interval is.

    Args:
        shifts: Metrics that are judged.

    Returns:
        None where no metric's difference has an error at all.

    Source:
        Westfall and Young (1993), Resampling-based multiple testing: the max-T null, here by the cluster bootstrap
        about the estimate in place of permutations, since nothing is exchangeable between people and a simulator.
    """
    errors = {s.metric.name: float(s.difference_deviations.std()) for s in shifts}
    told = [s for s in shifts if errors[s.metric.name] > 0]
    if not told:
        return None
    t_values = {s.metric.name: s.difference / errors[s.metric.name] for s in told}
    largest = max(t_values, key=lambda name: abs(t_values[name]))
    under_null = np.max([np.abs(s.difference_deviations) / errors[s.metric.name] for s in told], axis=0)
    return Joint(t_values, largest, permutation_p_value(abs(t_values[largest]), under_null))


Size = tuple[int, int]
"""Real and simulated conversations of both arms."""

REFUSES = "generalisation cannot be certified"


def agreement_finding(established: Sequence[MetricShift], frame: Frame, *, size: Size) -> Finding:
    """Say in what proportion of the established human shifts simulated shoppers shift the same way."""
    details: dict[str, JsonValue] = {"metrics": [s.metric.name for s in established], "chance": 0.5}
    estimate: float | None = None
    interval: Interval | None = None
    verdict: Verdict = "undecided"
    if len(established) < MIN_METRICS:
        reason = (
            f"people's shift is established in {len(established)} metrics; at least {MIN_METRICS} are needed"
        )
    else:
        agreement = directional_agreement(established)
        estimate, interval, verdict = agreement.estimate, agreement.interval, agreement.verdict
        place = {
            "reacts_as_people": "above", "reacts_wrong_way": "below", "undecided": "on both sides of",
        }[agreement.verdict]  # fmt: skip
        reason = (
            f"in {estimate:.0%} of {len(established)} metrics in which people shift, simulated shoppers shift the same "
            f"way; the 95 % interval, {interval[0]:.2f} to {interval[1]:.2f}, {_lies(verdict)} {place} chance, 0.5"
        )
    return _finding(
        "directional_agreement", frame, size,
        question="Do simulated shoppers shift in the same direction as people?",
        unit="proportion of metrics", estimate=estimate, interval=interval, verdict=verdict, reason=reason,
        details=details,
    )  # fmt: skip


def joint_finding(
    judged: Sequence[MetricShift], frame: Frame, *, verdicts: dict[str, Verdict], size: Size
) -> Finding:
    """Say whether any metric's simulated shift is another than people's."""
    question = "Do simulated shoppers shift differently from people in any metric?"
    joint = joint_test(judged)
    if joint is None:
        return _finding(
            "joint", frame, size, question=question, unit="largest |t|", verdict="undecided",
            reason="no metric can be judged", details={"metrics": []},
        )  # fmt: skip
    off = [s.metric.name for s in judged if verdicts[s.metric.name] != "reacts_as_people"]
    verdict: Verdict = "undecided"
    said = f"the largest |t| is {joint.statistic:.2f}, of {joint.largest} (p = {joint.p_value:.2g})"
    if joint.p_value <= ALPHA:
        verdict, reason = "different", f"{said}: more than chance explains with {len(joint.t_values)} metrics"
    elif not off:
        verdict, reason = (
            "aligned",
            f"{said}, and each of the {len(judged)} metrics reacts as people do",
        )
    else:
        reason = f"{said}, and {len(off)} of {len(judged)} metrics are not shown to react as people do"
    return _finding(
        "joint", frame, size, question=question, unit="largest |t|", estimate=joint.statistic, verdict=verdict,
        reason=reason, p_value=joint.p_value,
        details={"metrics": [s.metric.name for s in judged], "largest": joint.largest, "t_values": {**joint.t_values}},
    )  # fmt: skip


def generalisation_finding(
    learned: Learned, compared: Sequence[MetricShift], frame: Frame, *, informed: Learned | None, size: Size
) -> Finding:
    """Say whether the simulator saw the treated arm and, against one that saw both, what not seeing it costs.

    Args:
        learned: What the simulator learned from.
        compared: Judged metrics with three shifts each, where a simulator that saw both arms was given.
        frame: Arms and settings.
        informed: What the simulator said to have seen both arms learned from; None without one.
        size: Real and simulated conversations.
    """
    arms = frame.arms
    details: dict[str, JsonValue] = {
        "learned_arms": list(learned.arms),
        "saw_treated": arms.treatment in learned.arms if learned.arms or not learned.n_silent else None,
        "n_silent": learned.n_silent,
        "metrics": [s.metric.name for s in compared],
        "saw_both_arms": list(informed.arms) if informed else None,
    }
    estimate: float | None = None
    interval: Interval | None = None
    verdict: Verdict = "undecided"
    reason = _not_certified(learned, informed, frame)
    if reason is None and not compared:
        reason = "no metric can be judged for people and both simulators"
    if reason is None:
        cost = cost_of_not_seeing(compared)
        estimate, interval = cost.estimate, cost.interval
        details["distance"], details["distance_saw_both"] = cost.distances
        said = (
            f"as it never saw {arms.treatment[:40]!r}, it is {cost.estimate:.3f} human standard deviations further "
            f"from people's shifts (95 % interval {interval[0]:.3f} to {interval[1]:.3f})"
        )
        if cost.upper_90 <= frame.margin_sd:
            verdict, reason = (
                "aligned",
                f"{said}; the 90 % interval is within the margin of {frame.margin_sd:g}",
            )
        elif interval[0] > 0:
            verdict, reason = "different", f"{said}, more than chance explains"
        else:
            reason = f"{said}: neither shown to be above 0 nor within the margin of {frame.margin_sd:g}"
    return _finding(
        "generalisation", frame, size,
        question="Does the simulator react to an arm it never saw as well as a simulator that saw both?",
        unit="human standard deviations", estimate=estimate, interval=interval, verdict=verdict, reason=reason,
        details=details,
    )  # fmt: skip


def _not_certified(learned: Learned, informed: Learned | None, frame: Frame) -> str | None:
    treated, control = frame.arms.treatment, frame.arms.control
    if treated in learned.arms:
        named = ", ".join(repr(arm[:40]) for arm in learned.arms)
        return f"{REFUSES}: it saw the treated arm {treated[:40]!r} (learned from {named})"
    if learned.n_silent or not learned.n:
        return (
            f"{REFUSES}: {learned.n_silent} of {learned.n} simulated conversations do not say what arms their "
            "simulator learned from"
        )
    clean = f"the simulator never saw {treated[:40]!r}"
    if not learned.arms:
        clean = "the simulator learned from no conversations, so it has seen neither arm"
    if informed is None:
        return f"{clean}; to measure the cost, give a simulator that saw both arms"
    if not {control, treated} <= set(informed.arms):
        named = ", ".join(repr(arm[:40]) for arm in informed.arms) or "no arm"
        return f"{clean}, but the simulator to compare it with does not say that it saw both arms: it names {named}"
    return None


def _lies(verdict: Verdict) -> str:
    return "reaches" if verdict == "undecided" else "lies"


def _finding(
    name: str,
    frame: Frame,
    size: Size,
    *,
    question: str,
    unit: str,
    verdict: Verdict,
    reason: str,
    details: dict[str, JsonValue],
    estimate: float | None = None,
    interval: Interval | None = None,
    p_value: float | None = None,
) -> Finding:
    return Finding(
        validator=VALIDATOR, metric=name, question=question, estimate=estimate, unit=unit, interval=interval,
        p_value=p_value, verdict=verdict, reason=reason, n_real=size[0], n_simulated=size[1], seed=frame.seed,
        version=VERSION, source=SOURCE,
        details={"role": "metric", "control": frame.arms.control, "treatment": frame.arms.treatment,
                 "n_resamples": frame.n_resamples, **details},
    )  # fmt: skip
