"""From the pairs that are told apart to a verdict on a simulator's order, and to what would decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from convsim._text import plain
from convsim.evaluation.ranking.record import Expected, OrderVerdict, PeopleAgainstPeople
from convsim.schema import Needs
from convsim.stats.kept_order import SHOWN, KeptOrder
from convsim.stats.planning import two_figures
from convsim.stats.sample_size import POWER

if TYPE_CHECKING:
    from convsim.schema import Interval
    from convsim.stats.group_levels import DrawnLevels

ALPHA_OF_EACH = 0.025
"""Half of 5 %: a simulator is different for pairs that it reverses, or for showing too few of them."""
MARGIN = 0.1
"""By how much the agreement of pairs may lie below that of people with people, and count as theirs."""
CHANCE = 0.5
"""The agreement of an order drawn by lot."""
MOST_GROWTH = 100.0
"""More than so many times the conversations is no advice."""
N_NAMED = 3
REACH = NormalDist().inv_cdf(POWER)


@dataclass(frozen=True)
class Judged:
    """A verdict on an order."""

    verdict: OrderVerdict
    reason: str
    needs: Needs | None = None


@dataclass(frozen=True)
class Evidence:
    """What a verdict depends on."""

    order: KeptOrder
    """As observed."""
    pairs: Sequence[tuple[str, str]]
    """The systems of each pair."""
    agreement: Interval | None
    ceiling: PeopleAgainstPeople | None
    """The agreement of people with people."""
    expected: Expected | None
    """The proportion that a simulator with half of people's differences would keep."""
    p_kept: float
    """The probability that it would keep as few."""
    n_simulated: int

    @property
    def told(self) -> list[int]:
        """The pairs that are told apart."""
        return [int(pair) for pair in np.flatnonzero(self.order.told[0])]


def judge_order(evidence: Evidence, *, people: DrawnLevels, n_people: int) -> Judged:
    """Judge the order of a simulator against that of people.

    H0 of *different*: the simulator's differences are at least half of people's; it is rejected where a pair is shown
    in the opposite order, or where fewer pairs are kept than that leaves likely, each at 2.5 %. H0 of *aligned*: at
    least one pair that people tell apart is not in their order; it is rejected where each is shown in it at 5 % (an
    intersection-union test), or else where the lower limit of agreement lies above one half, and at most a tenth below
    the 5 % point of halves of the people.

    Args:
        evidence: What was found.
        people: Their levels as observed.
        n_people: Their conversations.

    Source:
        Berger (1982), Multiparameter hypothesis testing and acceptance sampling (intersection-union tests).
    """
    told, order = evidence.told, evidence.order
    if not told:
        more = _more_people(people, n_people)
        hardly = "" if more else "; nor would many more of them: choose systems that differ more"
        return Judged(
            "undecided",
            f"people tell no two of the systems apart, so that no order can be kept{hardly}",
            more,
        )
    kept, n = int(order.kept[0].sum()), len(told)
    if names := _reversed(evidence):
        return Judged("different", f"it reverses {_pairs(len(names), n)} beyond chance: {_listed(names)}")
    if kept == n:
        return Judged("aligned", f"it shows {_all(n)} that people tell apart in people's order")
    low = evidence.agreement[0] if evidence.agreement else 0.0
    if evidence.ceiling is not None and low > CHANCE and low >= evidence.ceiling.limit - MARGIN:
        return Judged(
            "aligned",
            f"at least {low:.0%} of the pairs that people tell apart are in their order; of halves of the people, "
            f"nearly all have {evidence.ceiling.limit:.0%} or more",
        )
    if evidence.p_kept <= ALPHA_OF_EACH and evidence.expected is not None:
        return Judged(
            "different",
            f"it shows {kept} of {_pairs(n, n)} in people's order; with differences half as large as people's its "
            f"conversations would show {evidence.expected.mean * n:.1f} on average",
        )
    more = _more_simulated(evidence)
    hardly = "" if more else "; at its present levels many more conversations would not show the rest"
    shows = f"it shows {kept} of {_pairs(n, n)} in people's order, and reverses none beyond chance"
    return Judged("undecided", f"{shows}{hardly}", more)


def judge_known_order(
    evidence: Evidence, *, p_falling: float, p_rising: float, levels: Sequence[float]
) -> Judged:
    """Judge a simulator's outcomes against an order that is known.

    H0 of both verdicts: what a user says does not depend on the system. *Aligned* are outcomes that are shown to get
    worse from the best to the worst, at 5 %, with levels in that order throughout; *different* those that get better,
    or in which two systems are in the opposite order beyond chance, each at 2.5 %.

    Args:
        evidence: The pairs, all of which are told apart.
        p_falling: Of outcomes that get worse from the best system to the worst.
        p_rising: Of the opposite.
        levels: Mean outcomes, the best system first, the larger the better.
    """
    names = _reversed(evidence)
    if names or p_rising <= ALPHA_OF_EACH:
        what = f"the other way round beyond chance: {_listed(names)}" if names else "the other way round"
        return Judged("different", f"its outcomes order the systems {what}")
    falls = all(a > b for a, b in pairwise(levels))
    if p_falling <= SHOWN and falls:
        return Judged("aligned", "its outcomes get worse from the best system to the worst, as is known")
    odd = [
        f"{_name(b)} above {_name(a)}"
        for place, (a, b) in enumerate(evidence.pairs)
        if not evidence.order.same[0, place]
    ]
    shown = "a trend in the known order is shown" if p_falling <= SHOWN else "no trend is shown"
    not_so = f", and by level it has {_listed(odd)}" if odd else ""
    return Judged("undecided", f"{shown}{not_so}", _more_simulated(evidence))


def _reversed(evidence: Evidence) -> list[str]:
    p_values = evidence.order.p_reversed[0]
    named = []
    for pair in evidence.told:
        if p_values[pair] <= ALPHA_OF_EACH:
            better, worse = evidence.pairs[pair][:: int(evidence.order.told[0, pair])]
            named.append(f"{_name(worse)} above {_name(better)}")
    return named


def _more_simulated(evidence: Evidence) -> Needs | None:
    """Say how many more would show each pair that is not kept, if its difference stays; None where none would."""
    shown = evidence.order.shown
    growth = 1.0
    for pair in evidence.told:
        if not evidence.order.kept[0, pair]:
            growth = max(growth, _growth(shown, pair, -NormalDist().inv_cdf(SHOWN)))
    if growth > MOST_GROWTH:
        return None
    return Needs(side="simulated", more=two_figures(ceil(evidence.n_simulated * (growth - 1)) or 1))


def _more_people(people: DrawnLevels, n: int) -> Needs | None:
    """Say how many more would tell the first pair apart, if its difference stays; None where none would."""
    n_pairs = people.differences.shape[1]
    z = NormalDist().inv_cdf(1 - SHOWN / 2 / n_pairs)
    growth = min(_growth(people, pair, z) for pair in range(n_pairs))
    if growth > MOST_GROWTH:
        return None
    return Needs(side="people", more=two_figures(max(1, ceil(n * (growth - 1)))))


def _growth(levels: DrawnLevels, pair: int, z: float) -> float:
    difference, error = abs(float(levels.differences[0, pair])), float(levels.errors[0, pair])
    if not difference or not np.isfinite(error):
        return float("inf")
    return ((z + REACH) * error / difference) ** 2


def _all(n: int) -> str:
    return "the only pair" if n == 1 else f"all {n} pairs"


def _pairs(n: int, of: int) -> str:
    if n == of:
        return "the pair that people tell apart" if n == 1 else f"{n} pairs that people tell apart"
    return f"{n} of {of} pairs that people tell apart"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else ""
    return ", ".join(names[:N_NAMED]) + more


def _name(name: str) -> str:
    return plain(name, limit=40)
