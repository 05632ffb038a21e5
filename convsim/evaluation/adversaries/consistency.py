"""Users who are not one person from the first message to the last."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from convsim.evaluation.adversaries.definition import adversary
from convsim.evaluation.adversaries.talk import groups, joined, rewritten, shuffled, users_of, with_texts
from convsim.schema.conversation import Conversation, Message

if TYPE_CHECKING:
    from numpy.random import Generator

NUMBER = re.compile(r"\d+")


@adversary(caught_by=("consistency",), least_changed=0.1)
def numbers_redrawn(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Each number in a user's message replaced by another of as many digits: budgets contradict each other."""

    def redrawn(found: re.Match[str]) -> str:
        digits = [str(int(d)) for d in rng.integers(0, 10, min(len(found[0]), 20))]
        return "".join([digits[0] if digits[0] != "0" else "1", *digits[1:]])

    return rewritten(people, lambda text: NUMBER.sub(redrawn, text))


@adversary(caught_by=("consistency",))
def two_people_spliced(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The first half of one conversation and the second half of another of the same task, both sides of each."""

    def half(conversation: Conversation) -> int:
        starts = _starts(conversation)
        return starts[len(starts) // 2] if len(starts) > 1 else len(conversation.messages)

    return _spliced(people, half, rng)


@adversary(caught_by=("consistency",))
def another_need_after_the_first_message(
    people: Sequence[Conversation], rng: Generator
) -> list[Conversation]:
    """One user's first message and its answer, then the rest of another conversation of the same task."""

    def first(conversation: Conversation) -> int:
        starts = _starts(conversation)
        return starts[1] if len(starts) > 1 else len(conversation.messages)

    return _spliced(people, first, rng)


@adversary(caught_by=("consistency", "disclosure"))
def repeats_the_need_each_turn(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Every later message begins with the first one again."""

    def said(conversation: Conversation) -> list[str]:
        first, *later = [m.content for m in users_of(conversation)] or [""]
        return [first, *(joined(first, text) for text in later)][: len(users_of(conversation))]

    return [with_texts(c, said(c)) for c in people]


def _starts(conversation: Conversation) -> list[int]:
    """Return where each of the user's turns starts among the messages."""
    roles = ["assistant", *(m.role for m in conversation.messages)]
    return [at for at, (before, role) in enumerate(pairwise(roles)) if role == "user" != before]


def _spliced(
    people: Sequence[Conversation], cut: Callable[[Conversation], int], rng: Generator
) -> list[Conversation]:
    """Go on after ``cut`` as somebody else of the same task, arm and number of messages does."""
    made = list(people)

    def alike(row: int) -> tuple[str | None, str | None, int]:
        return people[row].task, people[row].arm, len(_starts(people[row]))

    for group in groups(range(len(people)), alike):
        order = shuffled(group, rng)
        for row, other in zip(order, [*order[1:], order[0]], strict=True):
            messages: tuple[Message, ...] = (
                *people[row].messages[: cut(people[row])],
                *people[other].messages[cut(people[other]) :],
            )
            made[row] = people[row].model_copy(update={"messages": messages, "ending": people[other].ending})
    return made
