"""A rater's progress: what is answered, what comes next, and whether there are enough answers.

Nothing here depends on whether an answer was right, nor on how many trials of either kind were answered: a rater who
sees a figure before and after an answer learns nothing from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from convsim.stats.sequential import answers_until
from convsim.web.blind_test.answers import CONFIDENCE, Answer, Rater, answers, number_of_answers
from convsim.web.blind_test.database import Database
from convsim.web.blind_test.rendering import Shown
from convsim.web.blind_test.study import ArenaStudy, Place, order_for

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
    n_answers: int
    """Of all raters, without skipped trials."""
    n_planned: int | None
    """How many answers of all raters are enough; None where no number is."""

    @property
    def next_path(self) -> str:
        """Where the rater goes on."""
        return f"/t/{self.next}" if self.next <= len(self.order) else "/end"

    @property
    def enough(self) -> bool:
        """Whether there are as many answers as planned; raters may go on, since more make the interval narrower."""
        return self.n_planned is not None and self.n_answers >= self.n_planned


@cache
def planned(precision: float) -> int | None:
    """Return how many answers narrow the accuracy's interval to half-width ``precision`` whatever they say.

    The interval is widest where raters are right in half of the cases, of either kind of trial.
    """
    return answers_until((0.5, 0.5), precision)


class Progress:
    """Reads where raters stand; how accurate they are is never shown to them."""

    def __init__(self, study: ArenaStudy, database: Database, precision: float):
        self.study, self.database = study, database
        self.n_planned = planned(precision)

    def of(self, rater: Rater) -> State:
        """Return where a rater stands; raises ConvsimError where the file cannot be read."""
        own = {answer.trial: answer for answer in answers(self.database, rater=rater.number)}
        order = order_for(self.study, rater.name)
        said = {
            place: _in_words(own[each.trial])
            for place, each in enumerate(order, start=1)
            if each.trial in own
        }
        ahead = (place for place in range(1, len(order) + 1) if place not in said)
        return State(
            order=order,
            answered=said,
            next=next(ahead, len(order) + 1),
            n_answers=number_of_answers(self.database),
            n_planned=self.n_planned,
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
