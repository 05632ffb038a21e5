"""A rater's progress: what is answered, what comes next, and whether there are enough answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convsim.stats.sequential import half_width, sequential_interval
from convsim.web.blind_test.answers import CONFIDENCE, Answer, Rater, answers
from convsim.web.blind_test.database import Database
from convsim.web.blind_test.rendering import Shown
from convsim.web.blind_test.study import ArenaStudy, Place, order_for
from convsim.web.blind_test.votes import by_group, votes

CHOSEN = {
    "human": "a person",
    "simulated": "a simulation",
    "left": "left is the person",
    "right": "right is the person",
}


@dataclass(frozen=True)
class State:
    """One rater's way; places count from 1."""

    order: Sequence[Place]
    answered: dict[int, str]
    """What was said at each place, in words."""
    next: int
    """The first place without an answer; one more than there are where all have one."""
    half_width: float
    """Of the accuracy's interval, over all raters."""
    precision: float

    @property
    def next_path(self) -> str:
        """Where the rater goes on."""
        return f"/t/{self.next}" if self.next <= len(self.order) else "/end"

    @property
    def enough(self) -> bool:
        """Whether the interval is as narrow as was asked; raters may go on, since it may be looked at any time."""
        return self.half_width <= self.precision


class Progress:
    """Reads where raters stand; how accurate they are is never shown to them."""

    def __init__(self, study: ArenaStudy, database: Database, precision: float):
        self.study, self.database, self.precision = study, database, precision

    def of(self, rater: Rater) -> State:
        """Return where a rater stands; raises ConvsimError where the file cannot be read."""
        given = answers(self.database)
        own = {answer.trial: answer for answer in given if answer.rater == rater.number}
        order = order_for(self.study, rater.name)
        said = {
            place: _in_words(own[each.trial])
            for place, each in enumerate(order, start=1)
            if each.trial in own
        }
        ahead = (place for place in range(1, len(order) + 1) if place not in said)
        interval = sequential_interval(by_group(votes(self.study, given)))
        return State(
            order=order,
            answered=said,
            next=next(ahead, len(order) + 1),
            half_width=half_width(interval),
            precision=self.precision,
        )

    def shown(self, state: State, place: int) -> list[Shown]:
        """Return the conversations of a place, from left to right."""
        trial_number, human_left = state.order[place - 1]
        trial = self.study.trials[trial_number]
        places = (trial.human, trial.simulated) if human_left else (trial.simulated, trial.human)
        return [self.study.conversations[each].shown for each in places if each is not None]


def _in_words(answer: Answer) -> str:
    if answer.choice is None or answer.confidence is None:
        return "you skipped this one"
    return f"you said {CHOSEN[answer.choice]} ({CONFIDENCE[answer.confidence]})"
