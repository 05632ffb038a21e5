"""Users who do not listen: what they say does not fit what the agent said."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

from convsim.evaluation.adversaries.definition import adversary
from convsim.evaluation.adversaries.phrases import phrases_for
from convsim.evaluation.adversaries.talk import (
    asks,
    drawn,
    followed,
    groups,
    joined,
    pieces,
    shuffled,
    users_of,
    with_texts,
    with_users,
)
from convsim.schema.conversation import Conversation, Message

if TYPE_CHECKING:
    from numpy.random import Generator

QUOTED_WORDS = 6


@adversary(caught_by=("coherence",))
def user_of_another_conversation(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The user's side of another conversation with as many messages."""
    return _exchanged(people, lambda c: len(users_of(c)), rng)


@adversary(caught_by=("coherence",))
def user_of_another_within_the_task(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The user's side of another conversation of the same task, arm and number of messages."""
    return _exchanged(people, lambda c: (c.task, c.arm, len(users_of(c))), rng)


@adversary(caught_by=("coherence",), least_changed=0.1)
def user_of_another_arm(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The user's side of another conversation of the same task, whatever the arm: the agent makes no difference."""
    if len({c.arm for c in people}) < 2:
        return []
    return _exchanged(people, lambda c: (c.task, len(users_of(c))), rng)


@adversary(caught_by=("coherence", "transitions"))
def never_answers(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Each answer to a question of the agent's is a message that somebody said when nothing was asked."""
    phrases = phrases_for(people)
    later = [
        m.content
        for c in people
        for m, before in _heard(c)[1:]
        if before and not asks(before) and m.content.strip()
    ]
    offered = later if len(later) >= 20 else [*phrases.deflecting] if phrases else []
    return _answering(people, lambda: drawn(offered, rng)) if offered else []


@adversary(caught_by=("coherence", "transitions"))
def always_says_yes(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Each answer to a question of the agent's is yes, whatever was asked."""
    phrases = phrases_for(people)
    return _answering(people, lambda: drawn(phrases.yes, rng)) if phrases else []


@adversary(caught_by=("consistency", "coherence"))
def agrees_with_everything(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Every message after the first agrees with what the agent said."""
    phrases = phrases_for(people)
    if phrases is None:
        return []
    return [with_texts(c, _first_and(c, lambda: drawn(phrases.agreeing, rng))) for c in people]


@adversary(caught_by=("coherence",))
def repeats_the_agent(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Every answer begins with the agent's last words."""

    def parroted(text: str, before: str) -> str:
        cut = pieces(before)
        return joined(cut.text(cut.parts[-QUOTED_WORDS:]), text)

    return [with_texts(c, [parroted(m.content, before) for m, before in _heard(c)]) for c in people]


@adversary(caught_by=("consistency",))
def coaches_the_agent(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Every second user tells the agent once how to do its work."""
    phrases = phrases_for(people)
    if phrases is None:
        return []

    def coached(conversation: Conversation) -> Conversation:
        texts = [m.content for m in users_of(conversation)]
        if not texts or rng.random() < 0.5:
            return conversation
        at = int(rng.integers(len(texts)))
        return with_texts(
            conversation, [*texts[:at], joined(texts[at], drawn(phrases.coaching, rng)), *texts[at + 1 :]]
        )

    return [coached(c) for c in people]


def _heard(conversation: Conversation) -> list[tuple[Message, str]]:
    """Pair each of the user's messages with what the agent said before it."""
    return list(zip(users_of(conversation), followed(conversation), strict=True))


def _answering(people: Sequence[Conversation], answer: Callable[[], str]) -> list[Conversation]:
    """Replace what follows a question of the agent's."""
    return [
        with_texts(c, [answer() if asks(before) else m.content for m, before in _heard(c)]) for c in people
    ]


def _first_and(conversation: Conversation, later: Callable[[], str]) -> list[str]:
    texts = [m.content for m in users_of(conversation)]
    return [*texts[:1], *(later() for _ in texts[1:])]


def _exchanged(
    people: Sequence[Conversation], key: Callable[[Conversation], Hashable], rng: Generator
) -> list[Conversation]:
    """Give each conversation the user's side, and so the ending, of another that has the same ``key``."""
    made = list(people)
    for group in groups(range(len(people)), lambda row: key(people[row])):
        drawn_order = shuffled(group, rng)
        for row, other in zip(drawn_order, [*drawn_order[1:], drawn_order[0]], strict=True):
            pasted = with_users(people[row], users_of(people[other]))
            made[row] = pasted.model_copy(update={"ending": people[other].ending})
    return made
