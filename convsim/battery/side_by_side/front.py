"""Realism against cost: which simulators are not beaten on both, and which lean ones lost realism."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import ConfigDict

from convsim.contracts import Interval
from convsim.records import Name, Number, Record, Text

Place = Literal["on", "off", "undecided"]


class Candidate(NamedTuple):
    """One simulator's distance from people and cost a conversation; None where one is unknown, with the reason."""

    name: str
    distance: float | None
    cost: float | None
    reason: str = ""


class Apart(NamedTuple):
    """How much further one simulator is from people than another."""

    estimate: float
    interval: Interval | None


Differences = Mapping[tuple[str, str], Apart]
"""By the simulator and the one it is held against."""


class OnFront(Record):
    """Where a simulator stands between realism and cost, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    place: Place
    reason: Text


class LeanerPair(Record):
    """Two simulators of which one costs less: whether it is further from people."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    cheaper: Name
    dearer: Name
    cost_ratio: Number
    difference: Number
    """Mean distance of the cheaper less that of the dearer: above 0, the cheaper is further from people."""
    interval: Interval
    lost_realism: bool
    """Whether the whole interval lies above 0."""


def places(candidates: Sequence[Candidate], differences: Differences) -> dict[str, OnFront]:
    """Which simulators does no other beat on both realism and cost?

    Returns:
        *off*: another costs no more and is nearer to people, the interval of the difference wholly above 0. *on*: no
        other is at least as good on both, by the estimates. *undecided*: another is at least as good on both by the
        estimates, but that it is nearer is not shown; or a number is unknown.
    """
    return {candidate.name: _place(candidate, candidates, differences) for candidate in candidates}


def leaner_pairs(candidates: Sequence[Candidate], differences: Differences) -> list[LeanerPair]:
    """Hold each simulator against every dearer one, wherever both costs and the difference are known."""
    pairs = []
    for cheaper in candidates:
        for dearer in candidates:
            apart = differences.get((cheaper.name, dearer.name))
            if cheaper.cost is None or dearer.cost is None or cheaper.cost >= dearer.cost:
                continue
            if apart is not None and apart.interval is not None:
                pairs.append(
                    LeanerPair(
                        cheaper=cheaper.name, dearer=dearer.name, cost_ratio=cheaper.cost / dearer.cost,
                        difference=apart.estimate, interval=apart.interval, lost_realism=apart.interval[0] > 0,
                    )
                )  # fmt: skip
    return pairs


def _place(own: Candidate, candidates: Sequence[Candidate], differences: Differences) -> OnFront:
    if own.distance is None or own.cost is None:
        return OnFront(place="undecided", reason=own.reason or "its distance or its cost is not known")
    rivals: list[str] = []
    for other in candidates:
        if other.name == own.name or other.distance is None or other.cost is None or other.cost > own.cost:
            continue
        apart = differences.get((own.name, other.name))
        if apart is not None and apart.interval is not None and apart.interval[0] > 0:
            return OnFront(place="off", reason=f"{other.name} costs no more and is nearer to people")
        if other.distance <= own.distance:
            rivals.append(other.name)
    if rivals:
        return OnFront(
            place="undecided",
            reason=f"{', '.join(rivals)}: costs no more and is no further from people by the estimates, but the "
            "interval of the difference does not show that it is nearer",
        )
    return OnFront(place="on", reason="no other is at least as near to people and costs no more")
