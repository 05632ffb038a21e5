"""What the answers say, as numbers: who was right, who was taken for human, and by whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from convsim.seeds import child_seed
from convsim.stats.sequential import Counts
from convsim.web.blind_test.answers import Answer
from convsim.web.blind_test.study import ArenaStudy


class Vote(NamedTuple):
    """One answer that was not skipped."""

    rater: int
    trial: int
    right: bool
    said: bool
    """What was said: of one conversation that it is human; of a pair, that the human's is the one that a coin which
    falls once for each trial calls the first, so that raters who are all right still say either."""
    group: int
    """0 or 1: the trial's human stands alone or on the left, or does not. Accuracy is balanced over both."""
    simulator: str | None
    confidence: int


class Taken(NamedTuple):
    """One conversation that was taken for human by a rater, or was not."""

    rater: int
    trial: int
    conversation: int
    human: bool


def votes(study: ArenaStudy, answers: Iterable[Answer]) -> list[Vote]:
    """Turn answers into votes; skipped trials are left out."""
    found = []
    for answer in answers:
        if answer.choice is None or answer.confidence is None:
            continue
        trial = study.trials[answer.trial]
        if study.mode == "single":
            first = trial.human is not None
            said = answer.choice == "human"
            right = said == first
        else:
            first = bool(answer.human_left)
            right = (answer.choice == "left") == first
            said = right == bool(child_seed(study.seed, "arena", "coin", answer.trial) & 1)
        found.append(
            Vote(
                rater=answer.rater,
                trial=answer.trial,
                right=right,
                said=said,
                group=int(not first),
                simulator=study.simulator_of(trial),
                confidence=answer.confidence,
            )
        )
    return found


def taken(study: ArenaStudy, votes: Iterable[Vote]) -> list[Taken]:
    """Say of every conversation in every vote whether it was taken for human."""
    found = []
    for vote in votes:
        trial = study.trials[vote.trial]
        for place, is_human in ((trial.human, True), (trial.simulated, False)):
            if place is not None:
                found.append(Taken(vote.rater, vote.trial, place, vote.right == is_human))
    return found


def by_group(votes: Sequence[Vote]) -> tuple[Counts, Counts]:
    """Count right answers and answers of both groups."""
    counts = [
        (float(sum(v.right for v in votes if v.group == group)), float(sum(v.group == group for v in votes)))
        for group in (0, 1)
    ]
    return counts[0], counts[1]
