"""Messages and words in an order in which nobody says them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convsim.evaluation.adversaries.definition import adversary
from convsim.evaluation.adversaries.talk import groups, pieces, shuffled, users_of, with_texts, with_users
from convsim.schema.conversation import Conversation, Message

if TYPE_CHECKING:
    from numpy.random import Generator


@adversary(caught_by=("coherence", "marginals"))
def messages_shuffled(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Users' messages dealt out anew among all conversations."""
    left = iter(shuffled([m for c in people for m in users_of(c)], rng))
    return [with_users(c, [next(left) for _ in users_of(c)]) for c in people]


@adversary(caught_by=("coherence",))
def turns_of_different_people(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Each message by another user of the same task at the same place in the conversation."""
    said = [users_of(c) for c in people]
    placed: list[list[Message]] = [[] for _ in people]
    places = [(people[row].task, n, row) for row, messages in enumerate(said) for n in range(len(messages))]
    for group in groups(sorted(places, key=lambda place: place[1]), lambda place: place[:2]):
        for (_, n, owner), (_, _, other) in zip(group, shuffled(group, rng), strict=True):
            placed[owner].append(said[other][n])
    return [with_users(c, messages) for c, messages in zip(people, placed, strict=True)]


@adversary(caught_by=("coherence",))
def own_messages_in_random_order(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Each user's own messages in random order."""
    return [with_users(c, shuffled(users_of(c), rng)) for c in people]


@adversary(caught_by=("transitions",))
def reversed_after_the_first(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Each user's own messages after the first in reverse order."""
    return [with_users(c, [*users_of(c)[:1], *users_of(c)[:0:-1]]) for c in people]


@adversary(caught_by=("coherence",))
def answers_one_turn_late(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Each message one turn late: the first is said twice, the last never."""
    return [with_users(c, [*users_of(c)[:1], *users_of(c)[:-1]]) for c in people]


@adversary(caught_by=("humanlikeness",))
def words_in_random_order(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The words of every second message in random order."""

    def scattered(text: str) -> str:
        cut = pieces(text)
        return cut.text(shuffled(cut.parts, rng))

    return [
        with_texts(c, [scattered(m.content) if n % 2 else m.content for n, m in enumerate(users_of(c))])
        for c in people
    ]
