"""The verdict of a blind test: people tell simulated from human, hardly tell, or it is open and how long."""

from __future__ import annotations

from typing import NamedTuple

from convsim.schema import Interval, Verdict
from convsim.stats.sequential import Counts, answers_until, sequential_interval

CHANCE = 0.5
MARGIN = 0.10
"""Half of the interval of accuracies that are as good as chance: .40 to .60."""


class Decision(NamedTuple):
    """An accuracy, how sure it is, and what it means."""

    accuracy: float | None
    interval: Interval
    verdict: Verdict
    reason: str
    n_to_decide: int | None
    """About how many answers in all would settle it; None where it is settled, or where no number can be given."""


def decide(groups: tuple[Counts, Counts]) -> Decision:
    """Can people tell simulated shoppers from human ones better, or worse, than by chance?

    Args:
        groups: Right answers and answers, of trials whose human stands alone (or left) and of the others.

    Returns:
        ``aligned`` where the sequential interval lies inside .40 to .60; ``different`` where it excludes .5, below it
        too: who mistakes the one for the other reliably does see a difference; else ``undecided``.
    """
    interval = sequential_interval(groups)
    low, high = interval
    written = f"[{low:.2f}, {high:.2f}]"
    if not all(n for _, n in groups):
        return Decision(None, interval, "undecided", "one of the two kinds of trial has no answer yet", None)
    shares = [right / n for right, n in groups]
    accuracy = sum(shares) / 2
    if low >= CHANCE - MARGIN and high <= CHANCE + MARGIN:
        reason = f"the interval {written} of the accuracy lies inside .40 to .60"
        return Decision(accuracy, interval, "aligned", reason, None)
    if low > CHANCE or high < CHANCE:
        way = (
            "people tell simulated shoppers from human ones"
            if low > CHANCE
            else "people take simulated shoppers for human ones, and human ones for simulated"
        )
        reason = f"{way}: the interval {written} of the accuracy excludes chance, .5"
        return Decision(accuracy, interval, "different", reason, None)
    away = abs(accuracy - CHANCE)
    needed = answers_until(shares, max(away, MARGIN - away))
    answered = int(sum(n for _, n in groups))
    said = (
        f"about {needed} answers would settle it, if their shares stay; there are {answered}"
        if needed is not None and needed > answered
        else "some more answers would settle it"
    )
    reason = f"the interval {written} of the accuracy holds chance and reaches beyond .40 to .60; {said}"
    return Decision(accuracy, interval, "undecided", reason, needed)
