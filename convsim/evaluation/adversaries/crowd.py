"""Crowds: simulators whose single conversations are people's, and whose population is not."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convsim.evaluation.adversaries.definition import adversary
from convsim.evaluation.adversaries.phrases import phrases_for
from convsim.evaluation.adversaries.talk import (
    drawn,
    groups,
    pieces,
    rewritten,
    saying,
    shuffled,
    users_of,
    with_texts,
    with_users,
)
from convsim.evaluation.adversaries.whole import swapped_words
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from numpy.random import Generator


@adversary(caught_by=("diversity",))
def twenty_people_ten_times(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """A tenth of the people, each ten times with one word replaced in each conversation."""
    return _repeated(people, 10, rng)


@adversary(caught_by=("diversity",))
def forty_people_four_times(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """A quarter of the people, each four times with one word replaced in each conversation."""
    return _repeated(people, 4, rng)


@adversary(caught_by=("diversity",), least_changed=0)
def forty_people_four_times_verbatim(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """A quarter of the people, each four times word for word."""
    few = shuffled(people, rng)[: -(-len(people) // 4)]
    return [few[n % len(few)] for n in range(len(people))]


@adversary(caught_by=("diversity",), least_changed=0)
def only_median_people(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """The half of the people nearest to the median in length of conversation and of messages."""
    return _nearest_to_median(people, len(people) // 2)


@adversary(caught_by=("by_stratum",), least_changed=0)
def a_task_left_out(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Nobody who has the most common task."""
    tasks = Counter(c.task for c in people).most_common()
    return [c for c in people if c.task != tasks[0][0]] if len(tasks) > 1 else []


@adversary(caught_by=("marginals", "diversity"), least_changed=0)
def no_long_conversations(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Nobody among the third who write most messages."""
    by_length = sorted(shuffled(range(len(people)), rng), key=lambda row: len(users_of(people[row])))
    return [people[row] for row in sorted(by_length[: -(-2 * len(people) // 3)])]


@adversary(caught_by=("humanlikeness", "diversity"))
def one_persons_words(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Every message is one of the most talkative user's."""
    words = [m.content for m in users_of(max(people, key=_n_words)) if m.content.strip()]
    return rewritten(people, lambda text: drawn(words, rng)) if words else []


@adversary(caught_by=("diversity",))
def one_opening(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Everybody opens with the same message, the one with the most common number of words."""
    openings = [c.first_words for c in people if c.first_words]
    if not openings:
        return []
    usual = Counter(len(pieces(text).parts) for text in openings).most_common(1)[0][0]
    opening = drawn([text for text in openings if len(pieces(text).parts) == usual], rng)
    return [
        with_texts(c, [opening, *(m.content for m in users_of(c)[1:])]) if users_of(c) else c for c in people
    ]


@adversary(caught_by=("diversity",), least_changed=0.1)
def one_opening_for_a_fifth(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """A fifth of the users open with the same message."""
    some = {int(row) for row in rng.permutation(len(people))[: -(-len(people) // 5)]}
    alike = one_opening.make([people[row] for row in sorted(some)], rng)
    replaced = dict(zip(sorted(some), alike, strict=False))
    return [replaced.get(row, c) for row, c in enumerate(people)]


@adversary(caught_by=("marginals",))
def messages_of_one_word(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """Every message is its first word."""
    return rewritten(people, lambda text: "".join(pieces(text).parts[:1]))


@adversary(caught_by=("humanlikeness",), least_changed=0.05)
def a_tenth_are_bots(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """One user in ten speaks in set phrases."""
    return _with_bots(people, 0.1, rng)


@adversary(caught_by=("humanlikeness",), least_changed=0.1)
def a_fifth_are_bots(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """One user in five speaks in set phrases."""
    return _with_bots(people, 0.2, rng)


@adversary(caught_by=("humanlikeness",), least_changed=0.1)
def a_fifth_speak_as_the_agent(people: Sequence[Conversation], rng: Generator) -> list[Conversation]:
    """One user in five says once what an agent would say: the roles slip."""
    lines = [m.content for c in people for m in c.messages if m.role == "assistant" and m.content.strip()]
    if not lines:
        return []
    able = [row for row, c in enumerate(people) if len(users_of(c)) > 1]
    slipping = {able[int(n)] for n in rng.permutation(len(able))[: -(-len(people) // 5)]}
    return [_slipped(c, drawn(lines, rng), rng) if row in slipping else c for row, c in enumerate(people)]


def _slipped(conversation: Conversation, line: str, rng: Generator) -> Conversation:
    users = users_of(conversation)
    at = int(rng.integers(1, len(users)))
    users[at] = saying(users[at], line)
    return with_users(conversation, users)


def _repeated(people: Sequence[Conversation], times: int, rng: Generator) -> list[Conversation]:
    few = shuffled(people, rng)[: -(-len(people) // times)]
    return swapped_words([few[n % len(few)] for n in range(len(people))], rng)


def _with_bots(people: Sequence[Conversation], proportion: float, rng: Generator) -> list[Conversation]:
    phrases = phrases_for(people)
    if phrases is None:
        return []
    n_bots = round(proportion * len(people))
    bots = {int(row) for row in rng.permutation(len(people))[:n_bots]}

    def spoken(conversation: Conversation) -> Conversation:
        n = len(users_of(conversation))
        texts = [drawn(phrases.bot_openings, rng), *(drawn(phrases.bot_answers, rng) for _ in range(n - 1))]
        return with_texts(conversation, texts[:n])

    return [spoken(c) if row in bots else c for row, c in enumerate(people)]


def _nearest_to_median(people: Sequence[Conversation], n: int) -> list[Conversation]:
    """Return the ``n`` people nearest to the middle by rank, within each task."""
    near: list[tuple[float, int]] = []
    for group in groups(range(len(people)), lambda row: people[row].task):
        n_messages = [len(users_of(people[row])) for row in group]
        n_words = [_n_words(people[row]) / max(1, n) for row, n in zip(group, n_messages, strict=True)]
        away = zip(_from_median(n_messages), _from_median(n_words), strict=True)
        near += [(max(both), row) for both, row in zip(away, group, strict=True)]
    return [people[row] for row in sorted(row for _, row in sorted(near)[:n])]


def _from_median(values: Sequence[float]) -> list[float]:
    """Return how far each value's place in the order is from the middle, from 0 to .5; ties share their mean place."""
    ordered = sorted(values)
    places = [bisect_left(ordered, value) + bisect_right(ordered, value) for value in values]
    return [abs(place / (2 * len(ordered)) - 0.5) for place in places]


def _n_words(conversation: Conversation) -> int:
    return sum(len(pieces(m.content).parts) for m in users_of(conversation))
