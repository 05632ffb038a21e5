"""Users who leave at the wrong time, or all in the same way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from convsim.evaluation.adversaries.definition import adversary
from convsim.evaluation.adversaries.talk import asks, drawn, saying, users_of, with_users
from convsim.schema.conversation import Conversation, Turn

if TYPE_CHECKING:
    from numpy.random import Generator

TURNS_TOO_MANY = 3


@adversary(caught_by=("endings",), least_changed=0.15)
def never_leaves(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Users who buy nothing go on for three more turns of others of their task before their last one."""
    lent = _middle_turns(people)
    return [c if _bought(c) else _stayed(c, lent[c.task], TURNS_TOO_MANY, rng) for c in people]


@adversary(caught_by=("endings",))
def non_buyers_stay(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Users who buy nothing stay three turns longer, and those who buy so much shorter that the mean is right."""
    lent = _middle_turns(people)
    made: list[Conversation] = [
        c if _bought(c) else _stayed(c, lent[c.task], TURNS_TOO_MANY, rng) for c in people
    ]
    too_many = sum(_n_turns(after) - _n_turns(before) for before, after in zip(people, made, strict=True))
    buyers = [at for at, c in enumerate(people) if _bought(c)]
    while too_many > 0:
        longer = [at for at in buyers if _n_turns(made[at]) > 1]
        if not longer:
            break
        for at in rng.permutation(longer)[:too_many]:
            made[int(at)] = _shorter(made[int(at)])
            too_many -= 1
    return made


@adversary(caught_by=("consistency", "endings"))
def leaves_a_question_open(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The conversation breaks off at the last question that the agent asked before the user's last message."""

    def left(conversation: Conversation) -> Conversation:
        messages = conversation.messages
        last = max((at for at, m in enumerate(messages) if m.role == "user"), default=0)
        first = next((at for at, m in enumerate(messages) if m.role == "user"), len(messages))
        open_at = [
            at for at in range(first, last) if messages[at].role == "assistant" and asks(messages[at].content)
        ]
        if not open_at:
            return conversation
        return conversation.model_copy(update={"messages": messages[: open_at[-1] + 1], "ending": "left"})

    return [left(c) for c in people]


@adversary(caught_by=("endings",))
def all_endings_alike(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Everybody's last message is the same, and so is the way in which the conversation ended."""
    last = [users_of(c)[-1] for c in people if len(users_of(c)) > 1 and users_of(c)[-1].content.strip()]
    known = Counter(c.ending for c in people if c.ending != "unknown")
    if not last:
        return []
    said = drawn(last, rng).content
    ending = known.most_common(1)[0][0] if known else "unknown"

    def ended(conversation: Conversation) -> Conversation:
        users = users_of(conversation)
        if len(users) < 2:
            return conversation
        same = with_users(conversation, [*users[:-1], saying(users[-1], said)])
        return same.model_copy(update={"ending": ending})

    return [ended(c) for c in people]


@adversary(caught_by=("endings",))
def leaves_after_a_coin_toss(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """After each turn the user leaves with a chance of one in three, whatever was said."""

    def left(conversation: Conversation) -> Conversation:
        starts = [at for at, m in enumerate(conversation.messages) if m.role == "user"]
        n_turns = int(rng.geometric(1 / 3))
        if n_turns >= len(starts):
            return conversation
        return conversation.model_copy(
            update={"messages": conversation.messages[: starts[n_turns]], "ending": "left"}
        )

    return [left(c) for c in people]


def _middle_turns(people: Sequence[Conversation]) -> dict[str | None, list[Turn]]:
    """Return the answered turns of each task that are neither first nor last."""
    lent: dict[str | None, list[Turn]] = defaultdict(list)
    for c in people:
        lent[c.task] += [turn for turn in list(c.turns())[1:-1] if turn.assistant]
    return lent


def _stayed(conversation: Conversation, lent: list[Turn], n_turns: int, rng: Generator) -> Conversation:
    """Put turns of others before the last one; after it where there is no other."""
    turns = list(conversation.turns())
    if not turns or not lent:
        return conversation
    more = [drawn(lent, rng) for _ in range(n_turns)]
    n_last = len(turns[-1].user) + len(turns[-1].assistant)
    at = len(conversation.messages) - n_last if len(turns) > 1 else len(conversation.messages)
    messages = (
        *conversation.messages[:at],
        *chain.from_iterable((*turn.user, *turn.assistant) for turn in more),
        *conversation.messages[at:],
    )
    return conversation.model_copy(update={"messages": messages})


def _shorter(conversation: Conversation) -> Conversation:
    """Take out the turn before the last one."""
    starts = [
        at for at, m in enumerate(conversation.messages)
        if m.role == "user" and not (at and conversation.messages[at - 1].role == "user")
    ]  # fmt: skip
    messages = (*conversation.messages[: starts[-2]], *conversation.messages[starts[-1] :])
    return conversation.model_copy(update={"messages": messages})


def _n_turns(conversation: Conversation) -> int:
    return sum(1 for _ in conversation.turns())


def _bought(conversation: Conversation) -> bool:
    """Tell whether the conversation ended with a purchase; where it does not say, whether the agent asks no more."""
    if conversation.ending != "unknown":
        return conversation.ending == "accepted"
    answers = [m.content for m in conversation.messages if m.role == "assistant"]
    return bool(answers) and not asks(answers[-1])
