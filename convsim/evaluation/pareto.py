"""Realism against cost: which simulators are on the Pareto front, and which cheaper ones lost realism."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from convsim._text import listed
from convsim.schema import Interval
from convsim.schema.record import Name, Number, Record, Text
from convsim.stats.means import difference_is_shown

Place = Literal["on", "off", "undecided"]
MAX_NAMED = 3
"""Rivals that a reason names; it counts the others."""
MAX_NAME = 60
"""Characters of a name in a reason."""


class Candidate(NamedTuple):
    """One simulator's distance from people and cost a conversation; None where one is unknown, with the reason."""

    name: str
    distance: float | None
    cost: float | None
    reason: str = ""
    cost_interval: Interval | None = None
    """95 % interval of the cost; None where its noise is unknown."""


class Apart(NamedTuple):
    """How much further one simulator is from people than another."""

    estimate: float
    interval: Interval | None


Differences = Mapping[tuple[str, str], Apart]
"""By the simulator and the one it is compared with."""


class OnFront(Record):
    """Whether a simulator is on the Pareto front of realism and cost, and why."""

    place: Place
    reason: Text


class LeanerPair(Record):
    """Two simulators of which one costs less: whether it is further from people."""

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
        *off*: another costs no more and is closer to people, the interval of the difference wholly above 0. *on*: no
        other is at least as good on both, by the estimates. *undecided*: another is at least as good on both by the
        estimates, but that it is closer is not shown; or a number is unknown. The estimate is that of the difference
        where there is one: a distance grows as samples shrink, and a difference reads both at one size.
    """
    return {candidate.name: _place(candidate, candidates, differences) for candidate in candidates}


def leaner_pairs(candidates: Sequence[Candidate], differences: Differences) -> list[LeanerPair]:
    """Compare each simulator with every dearer one, wherever both costs and the difference are known.

    One is dearer where the costs differ by more than their noise.
    """
    pairs = []
    for cheaper in candidates:
        for dearer in candidates:
            apart = differences.get((cheaper.name, dearer.name))
            if cheaper.cost is None or dearer.cost is None or cheaper.cost >= dearer.cost:
                continue
            costs = (cheaper.cost_interval, dearer.cost_interval)
            if not difference_is_shown(cheaper.cost, dearer.cost, costs):
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
        return OnFront(place="undecided", reason=own.reason or "its distance or its cost is unknown")
    rivals: list[str] = []
    for other in candidates:
        if other.name == own.name or other.distance is None or other.cost is None or other.cost > own.cost:
            continue
        apart = differences.get((own.name, other.name))
        if apart is not None and apart.interval is not None and apart.interval[0] > 0:
            return OnFront(
                place="off", reason=f"{other.name[:MAX_NAME]} costs no more and is closer to people"
            )
        further = own.distance - other.distance if apart is None else apart.estimate
        if further >= 0:
            rivals.append(other.name[:MAX_NAME])
    if rivals:
        return OnFront(
            place="undecided",
            reason=f"{listed(rivals, MAX_NAMED)}: costs no more and seems at least as close to people at "
            "equal sample sizes, but more data are needed to show it",
        )
    return OnFront(place="on", reason=_unbeaten(candidates))


def _unbeaten(candidates: Sequence[Candidate]) -> str:
    """Write why a simulator is on the Pareto front: by the estimates, among those whose numbers are known."""
    known = sum(each.distance is not None and each.cost is not None for each in candidates)
    if known == 1:
        return "the only simulator whose distance and cost are both known"
    among = "" if known == len(candidates) else f" of the {known} whose distance and cost are known"
    return f"by the point estimates at equal sample sizes, no other{among} is both as close to people and as cheap"
