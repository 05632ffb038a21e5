"""Do more simulated units than people have one source among the people judged?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from convsim.schema import HumanBaseline, Interval, Verdict
from convsim.schema.arrays import BoolArray, FloatArray
from convsim_validators.copies.sources import Traced

LEVEL = 0.005
"""Of each rule; `copies` has this level of its own and is in no family with others."""
MIN_UNITS = 8
LEAST_GAP, LEAST_EXCESS = 0.25, 0.03
"""Near-verbatim copies: few are enough."""
LEAST_WEAK_GAP, LEAST_WEAK_EXCESS = 0.10, 0.25
"""Copies with every second word exchanged: the gap is small, and many must have it."""
TWINS_SHARE = 0.5
"""Of the units whose scenario one person alone met, how many must repeat that person. Of 109 users of a real
recommender who came back, 4 % repeated themselves so nearly."""


MOST = 100_000
"""Conversations; that more would decide is told nobody."""


class Rule(NamedTuple):
    """What counts as having one source, and on how much of either side it is found."""

    name: str
    real: float
    simulated: float
    excess: float
    """What the simulated share must exceed people's by."""
    p_value: float

    @property
    def fires(self) -> bool:
        """Whether that is more than people show."""
        return self.simulated - self.real >= self.excess and self.p_value <= LEVEL


@dataclass(frozen=True)
class Judgement:
    """What follows."""

    verdict: Verdict
    reason: str
    estimate: float | None = None
    interval: Interval | None = None
    p_value: float | None = None
    baseline: HumanBaseline | None = None
    rules: tuple[Rule, ...] = ()
    n_to_decide: int | None = None


def rules(people: Traced, shoppers: Traced, *, with_twins: bool = False) -> list[Rule]:
    """Hold the simulated units against people by three rules: verbatim, every second word, recombined messages."""
    gap = shoppers.gap_with_twins if with_twins else shoppers.gap
    one_source = shoppers.has_one_source_with_twins if with_twins else shoppers.has_one_source
    recombined = shoppers.recombined_with_twins if with_twins else shoppers.recombined
    verbatim = max(LEAST_GAP, _quantile(people.gap, 0.98))
    weak = max(LEAST_WEAK_GAP, _quantile(people.gap, 0.90))
    return [
        _rule("near-verbatim", people.gap > verbatim, gap > verbatim, LEAST_EXCESS),
        _rule(
            "reworded",
            people.has_one_source & (people.gap > weak),
            one_source & (gap > weak),
            LEAST_WEAK_EXCESS,
        ),
        _rule("recombined messages", people.recombined, recombined, LEAST_EXCESS),
    ]


def judge(people: Traced, shoppers: Traced, *, margin: float) -> Judgement:
    """Decide whether the simulated units are copies.

    H0: a simulated unit has one source among the people judged as seldom as another person has. Fisher's exact test,
    one-sided, at ``LEVEL`` a rule, and an excess that matters. ``aligned``: the one-sided 95 % limit of the share of
    near-verbatim or recombined units, less people's share, is at most ``margin``, counting also what may be explained
    by a shared scenario.
    """
    if min(people.n, shoppers.n) < MIN_UNITS:
        side, n = ("real", people.n) if people.n < MIN_UNITS else ("simulated", shoppers.n)
        few = f"{n} {side} users: at least {MIN_UNITS} a side are needed to tell a copy from a commonplace"
        return Judgement("undecided", few)
    found = rules(people, shoppers)
    if firing := [rule for rule in found if rule.fires]:
        rule = min(firing, key=lambda each: (each.p_value, -each.simulated))
        return _said("copies", _copied(rule, shoppers.n), rule, shoppers.n, found)
    repeated = shoppers.repeats_twin[shoppers.has_twin]
    if len(repeated) >= MIN_UNITS and repeated.mean() >= TWINS_SHARE:
        rule = Rule("only person of a scenario", 0.0, float(repeated.mean()), TWINS_SHARE, 0.0)
        reason = (
            f"{int(repeated.sum())} of {len(repeated)} simulated users that share a user, task or "
            "need with one person alone nearly repeat what that person said: more than a shared scenario explains"
        )
        return replace(_said("copies", reason, rule, len(repeated), found), p_value=None, baseline=None)
    return _no_copies(people, shoppers, found, margin)


def _no_copies(people: Traced, shoppers: Traced, found: list[Rule], margin: float) -> Judgement:
    """Decide where nothing is found without the only person of a scenario."""
    least = max(LEAST_GAP, _quantile(people.gap, 0.98))
    simulated = (shoppers.gap > least) | shoppers.recombined
    with_twins = (shoppers.gap_with_twins > least) | shoppers.recombined_with_twins
    rule = _rule(
        "near-verbatim or recombined messages",
        (people.gap > least) | people.recombined,
        simulated,
        LEAST_EXCESS,
    )
    if any(each.fires for each in rules(people, shoppers, with_twins=True)):
        n = int((shoppers.has_twin & (shoppers.gap_with_twins > LEAST_WEAK_GAP)).sum())
        reason = (
            f"{n} of {shoppers.n} simulated users lie nearest to the one person who shares "
            "their user, task or need, and nobody else does: whether they copy that person or only talk of the same "
            "cannot be told; hold them against people of other tasks, or against several people a task"
        )
        return _said("undecided", reason, rule, shoppers.n, found)
    share, upper = float(with_twins.mean()), _limit(int(with_twins.sum()), shoppers.n)
    shares = (
        f"{rule.simulated:.1%} of simulated users have one source among the people judged, of people "
        f"{rule.real:.1%}"
    )
    if upper - rule.real <= margin:
        return _said("aligned", f"{shares}: at most {upper:.0%} are copies", rule, shoppers.n, found)
    if share - rule.real > margin:
        reason = f"{shares}: more than the margin of {margin:.0%}, but no more than chance explains"
        return _said("undecided", reason, rule, shoppers.n, found)
    reason = f"{shares}: up to {upper:.0%} may be copies, more than the margin of {margin:.0%}"
    needed = next(
        n for n in _sizes(shoppers.n) if n > MOST or _limit(round(share * n), n) - rule.real <= margin
    )
    if needed > MOST:
        return _said("undecided", reason, rule, shoppers.n, found)
    reason += f"; about {needed} simulated ones would decide"
    return replace(_said("undecided", reason, rule, shoppers.n, found), n_to_decide=needed)


def _sizes(n: int) -> Iterator[int]:
    while True:
        n = max(n + 1, int(n * 1.05))
        yield n


def _copied(rule: Rule, n: int) -> str:
    what = {
        "near-verbatim": "lie far nearer to one of the people judged than to any other",
        "reworded": "lie nearer to one of the people judged than to any other",
        "recombined messages": "take a quarter or more of their longer messages each from one of the people judged",
    }[rule.name]
    return (
        f"{rule.simulated:.0%} of {n} simulated users {what}; so do {rule.real:.0%} of people (p = "
        f"{rule.p_value:.2g}): they copy the people that they are judged on"
    )


def _said(verdict: Verdict, reason: str, rule: Rule, n: int, found: list[Rule]) -> Judgement:
    from scipy.stats import binomtest

    interval = binomtest(round(rule.simulated * n), n).proportion_ci(0.95, method="exact")
    return Judgement(
        verdict, reason, rule.simulated, (float(interval.low), float(interval.high)),
        min(1.0, len(found) * min(each.p_value for each in found)),
        HumanBaseline(mean=rule.real, q95=rule.real), tuple(found),
    )  # fmt: skip


def _rule(name: str, real: BoolArray, simulated: BoolArray, excess: float) -> Rule:
    from scipy.stats import hypergeom

    n_flagged = int(real.sum() + simulated.sum())
    p = hypergeom.sf(int(simulated.sum()) - 1, len(real) + len(simulated), n_flagged, len(simulated))
    return Rule(name, float(real.mean()), float(simulated.mean()), excess, float(min(1.0, p)))


def _limit(n_found: int, n: int) -> float:
    """Return Clopper and Pearson's upper limit of a proportion, one-sided, 95 %."""
    from scipy.stats import beta

    return 1.0 if n_found >= n else float(beta.ppf(0.95, n_found + 1, n - n_found))


def _quantile(gap: FloatArray, q: float) -> float:
    return float(np.quantile(gap, q)) if len(gap) else 0.0
