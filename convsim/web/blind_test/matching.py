"""Draws one human conversation for each simulated one, of the same task and arm where possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence

from convsim.schema.conversation import Conversation
from convsim.seeds import generator

Key = Callable[[Conversation], Hashable]
CLOSENESS: tuple[Key, ...] = (lambda c: (c.task, c.arm), lambda c: c.task, lambda c: None)
"""What a match has in common, the closest first."""

Match = tuple[Conversation, Conversation, str]
"""A human conversation, a simulated one, and its simulator."""


def matched(
    real: Sequence[Conversation],
    simulators: Mapping[str, Sequence[Conversation]],
    *,
    n: int,
    seed: int,
) -> list[Match]:
    """Draw up to ``n`` matches; the simulators take turns, and no conversation is drawn twice.

    Fewer come back where a side has fewer, so that every simulator has as many as every other, or one more.
    """
    people = _shuffled(real, seed, "people")
    unused = {name: _shuffled(each, seed, "simulator", name) for name, each in simulators.items()}
    names = list(unused)
    rounds = min(map(len, unused.values()))
    drawn: list[Match] = []
    for slot in range(min(n, len(people), rounds * len(names))):
        name = names[slot % len(names)]
        row, person = _closest(people, unused[name])
        drawn.append((people.pop(person), unused[name].pop(row), name))
    return drawn


def _closest(people: Sequence[Conversation], simulated: Sequence[Conversation]) -> tuple[int, int]:
    """Return the places of a simulated conversation and of the closest person to it."""
    for key in CLOSENESS:
        present = Counter(key(person) for person in people)
        for row, conversation in enumerate(simulated):
            if present[key(conversation)]:
                wanted = key(conversation)
                return row, next(p for p, person in enumerate(people) if key(person) == wanted)
    raise ValueError("there is nobody left to match")


def _shuffled(conversations: Sequence[Conversation], seed: int, *names: str) -> list[Conversation]:
    order = generator(seed, "arena", *names).permutation(len(conversations))
    return [conversations[int(place)] for place in order]
