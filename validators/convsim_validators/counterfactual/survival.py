"""When the recommender gets worse, do simulated shoppers leave as people do?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pydantic import JsonValue

from convsim.schema import Corpus, Finding, HumanBaseline, Metric
from convsim.schema.arrays import FloatArray
from convsim.seeds import generator
from convsim_validators.counterfactual.leaving import (
    BARE,
    CONTROL,
    FAULTY,
    TREATED,
    Event,
    Hazards,
    Leaving,
    event_to_count,
)
from convsim_validators.counterfactual.shift_finding import Frame, shift_finding
from convsim_validators.counterfactual.shifts import Extent, MetricShift, halves, human_baseline
from convsim_validators.counterfactual.two_arm import Arms, ArmSide

NAME = "hazard_of_leaving"
MARGIN_SD = 0.2
SIDES = ("real", "simulated")
EVENTS: dict[Event, str] = {
    "left": "leave after a reply",
    "ended": "end the conversation after a reply, whatever the reason,",
}
CAUTIONS: dict[Event, str] = {
    "left": "",
    "ended": "; more than half of one side's endings are unknown, so every ending by the user counts, accepting too",
}


def hazard_findings(
    real: Corpus, simulated: Corpus, *, arms: Arms, n_resamples: int, seed: int, margin_sd: float = MARGIN_SD
) -> list[Finding]:
    """Compare how the hazard of leaving moves from the control to the treated arm.

    Discrete time: each reply after which the user chose whether to stay is one turn at risk; the event is leaving.
    Accepting is such a choice and censors. After the last reply of a conversation that the limit or the agent ended,
    nobody was asked, so it is not a turn at risk. Where more than half of a side's endings are unknown, any end by the
    user's side is the event on both sides. H0 and the verdict are those of the other shifts (``shifts``,
    ``shift_decision``), with replies in place of conversations; whole units are resampled.

    Args:
        real: People's conversations; those of other arms are left out.
        simulated: Simulated conversations, likewise.
        arms: The two arms.
        n_resamples: Bootstrap replicates.
        seed: Of all draws.
        margin_sd: Standard deviations of the human indicator up to which a shift counts as none.

    Returns:
        One finding, ``hazard_of_leaving``. Hazards are events per turn at risk, averaged over tasks; the counts in
        ``details`` and the Kaplan-Meier ``curves`` are as observed.

    Source:
        Singer and Willett (1993), It's about time: using discrete-time survival analysis, Journal of Educational
        Statistics 18; Kaplan and Meier (1958), JASA 53.
    """
    frame = Frame(arms, margin_sd, n_resamples, seed)
    sides = [
        ArmSide.of(corpus, arms, n_resamples, generator(seed, "counterfactual", NAME, name))
        for name, corpus in zip(SIDES, (real, simulated), strict=True)
    ]
    event = event_to_count(*(side.corpus.conversations for side in sides))
    leaving = [Leaving.of(side.corpus.conversations, event) for side in sides]
    metric = _metric(event)
    by_reply = [_by_reply(side, replies, metric) for side, replies in zip(sides, leaving, strict=True)]
    measured = _varying(MetricShift.of(by_reply, metric, arms, seed=seed))
    finding = shift_finding(
        _counting_conversations(measured, sides, leaving),
        frame,
        p_adjusted=measured.shifts[0].p_value if measured.shifts else None,
        baseline=_baseline(by_reply[0], measured, seed),
        refused=None,
    )
    return [_about_leaving(finding, arms, event, described=_described(sides, leaving))]


def _varying(measured: MetricShift) -> MetricShift:
    """Mark what cannot be resampled: where every user of a side stays as long, no draw differs from another."""
    if measured.problem is not None or all(np.ptp(shift.deviations) > 0 for shift in measured.shifts):
        return measured
    return replace(
        measured, problem="all users of one side stay equally long, so the uncertainty cannot be estimated"
    )


def _about_leaving(finding: Finding, arms: Arms, event: Event, *, described: dict[str, JsonValue]) -> Finding:
    """Put the finding of a metric's shift into words about leaving."""
    hazards = {f"{name}_hazards": finding.details[f"{name}_means"] for name in ("human", "simulated")}
    kept = {key: value for key, value in finding.details.items() if not key.endswith("_means")}
    return finding.but(
        question=f"From {arms.control[:80]} to {arms.treatment[:80]}, do simulated shoppers {EVENTS[event]} as "
        "people do?",
        reason=finding.reason + CAUTIONS[event],
        details={**kept, "event": event, **hazards, **described},
    )


def _metric(event: Event) -> Metric:
    return Metric(
        name=NAME,
        unit="departures per reply",
        level="turn",
        description=f"the chance that users {EVENTS[event]}",
        source="Singer and Willett (1993), discrete-time survival analysis",
        # It lives in replies: a conversation has no value of its own.
        measure=lambda columns: np.full(columns.n, np.nan),
    )


def _by_reply(side: ArmSide, leaving: Leaving, metric: Metric) -> ArmSide:
    """Return the side with replies for rows, and whether the user left after each for the metric."""
    import pandas as pd

    owner = leaving.conversation_of
    conversations = [side.corpus.conversations[int(index)] for index in owner]
    table = pd.DataFrame({metric.name: leaving.event.astype(np.float64)})
    return replace(
        side,
        corpus=Corpus(conversations, table, {metric.name: metric}),
        arm_of=side.arm_of[owner],
        task_of=side.task_of[owner],
        unit_of=side.unit_of[owner],
    )


def _counting_conversations(
    measured: MetricShift, sides: Sequence[ArmSide], leaving: Sequence[Leaving]
) -> MetricShift:
    """Return ``measured`` with its sizes in conversations, where they were in replies."""
    met = [_has_replies(side, replies) for side, replies in zip(sides, leaving, strict=True)]
    extents = tuple(Extent.of(side, values) for side, values in zip(sides, met, strict=True))
    shifts = tuple(
        replace(shift, n=Extent.of(side, np.where((standard.over(side) > 0)[side.task_of], values, np.nan)).n)
        for shift, side, values, standard in zip(
            measured.shifts, sides, met, measured.standards.of_side, strict=False
        )
    )
    return replace(measured, extents=extents, shifts=shifts)


def _has_replies(side: ArmSide, leaving: Leaving) -> FloatArray:
    """Return 1 for conversations with a turn at risk and NaN for others; shape (conversations,)."""
    replies = np.bincount(leaving.conversation_of, minlength=len(side.corpus))
    return np.where(replies > 0, 1.0, np.nan)


def _baseline(people: ArmSide, measured: MetricShift, seed: int) -> HumanBaseline | None:
    if not measured.shifts:
        return None
    split = halves(people, generator(seed, "counterfactual", NAME, "floor"))
    return human_baseline(people, people.column(NAME), measured.standards.of_side[0].over(people), split)


def _described(sides: Sequence[ArmSide], leaving: Sequence[Leaving]) -> dict[str, JsonValue]:
    counts: dict[str, JsonValue] = {}
    after: dict[str, JsonValue] = {}
    curves: dict[str, JsonValue] = {}
    for name, side, replies in zip(SIDES, sides, leaving, strict=True):
        hazards = Hazards.of(replies, side)
        arms = {"control": CONTROL, "treatment": TREATED}
        counts[name] = {key: hazards.of_arm(arm).describe() for key, arm in arms.items()}
        curves[name] = {key: hazards.curve(arm) for key, arm in arms.items()}
        after[name] = None
        if _records_faults(side):
            after[name] = {"bad": hazards.after(FAULTY).describe(), "other": hazards.after(BARE).describe()}
    unknown: dict[str, JsonValue] = {
        name: sum(conversation.ending == "unknown" for conversation in side.corpus.conversations)
        for name, side in zip(SIDES, sides, strict=True)
    }
    return {"n_unknown_endings": unknown, "counts": counts, "after_bad_reply": after, "curves": curves}


def _records_faults(side: ArmSide) -> bool:
    """Tell whether any message of the treated arm says what was done to it."""
    return any(
        message.faults
        for conversation, arm in zip(side.corpus.conversations, side.arm_of, strict=True)
        if arm == TREATED
        for message in conversation.messages
    )
