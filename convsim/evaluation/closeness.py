"""Which simulator is closest to people, and whose lead is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import erfc, sqrt
from typing import NamedTuple

from convsim.evaluation.comparison import Comparison, SimulatorReport
from convsim.schema import Interval, SimulatorScore
from convsim.stats.multiplicity import across_families
from convsim.stats.proportions import Z

APART = "mean_distance_difference"
ALPHA = 0.05


class Closeness(NamedTuple):
    """Simulators by their mean distance from people, and which of them are shown to differ in it."""

    ordered: tuple[SimulatorReport, ...]
    """The closest first; who has no distance, or takes more than the budget, is left out."""
    apart: frozenset[tuple[str, str]]
    """Ordered pairs, the closer one first, whose difference is more than chance."""

    def told_apart(self, first: str, second: str) -> bool:
        """Tell whether two simulators are shown to differ, whichever is closer."""
        return not self.apart.isdisjoint({(first, second), (second, first)})

    def tied_with(self, name: str) -> list[str]:
        """Return who cannot be told apart from a simulator, the closest first."""
        return [
            each.name for each in self.ordered if each.name != name and not self.told_apart(each.name, name)
        ]


def closeness(comparison: Comparison) -> Closeness:
    """Who is closest to people, and is the lead beyond chance?

    H0 of a pair: both are as far from people. A pair is told apart at 5 % over all pairs together (Holm), so that the
    one who happens to lead among many equals is not said to be ahead. That a pair is not told apart does not show that
    both are alike.

    Returns:
        The order is by the average difference from all others, which reads each pair at one sample size.

    Source:
        Holm (1979), A simple sequentially rejective multiple test procedure. A pair's p-value is that of a normal
        estimate with its 95 % interval's width; of intervals from few draws, whose limits are no finer, this is what
        can be had far out.
    """
    pairs = comparison.score_pairs(APART)
    known = [
        each
        for each in comparison.simulators
        if each.mean_distance.estimate is not None and not each.is_over_budget
    ]
    names = [each.name for each in known]
    found = {pair: pairs[pair] for pair in combinations(names, 2) if pair in pairs}
    p_values = [_p_value(score.estimate, score.interval) for score in found.values()]
    adjusted = across_families({str(place): [p] for place, p in enumerate(p_values)})
    apart = set()
    for place, ((first, second), score) in enumerate(found.items()):
        if score.estimate is not None and adjusted[str(place)][0] <= ALPHA:
            apart.add((first, second) if score.estimate < 0 else (second, first))
    lead = {name: _lead(name, names, found) for name in names}
    ordered = sorted(known, key=lambda each: (lead[each.name] or 0.0, each.mean_distance.estimate or 0.0))
    return Closeness(tuple(ordered), frozenset(apart))


def _lead(name: str, names: Sequence[str], found: dict[tuple[str, str], SimulatorScore]) -> float | None:
    """Return how much further from people a simulator is than the others, on average; None where a pair is unknown."""
    total = 0.0
    for other in names:
        if other == name:
            continue
        score, sign = found.get((name, other)), 1
        if score is None:
            score, sign = found.get((other, name)), -1
        if score is None or score.estimate is None:
            return None
        total += sign * score.estimate
    return total


def _p_value(estimate: float | None, interval: Interval | None) -> float:
    if estimate is None or interval is None:
        return 1.0
    error = (interval[1] - interval[0]) / (2 * Z)
    if error <= 0:
        return 0.0 if estimate else 1.0
    return erfc(abs(estimate) / error / sqrt(2))
