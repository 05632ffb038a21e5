"""Splits conversations into two disjoint parts, so that nobody is judged on the people it copied."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal, get_args

from convsim._settings import check_whole
from convsim._text import one_line
from convsim.errors import InputError
from convsim.io.source import Source, read_source
from convsim.schema.conversation import Conversation
from convsim.seeds import generator

By = Literal["user", "conversation"]


@dataclass(frozen=True)
class Halves:
    """The two parts, each in the order of the source, and what is to be warned of."""

    a: tuple[Conversation, ...]
    b: tuple[Conversation, ...]
    warnings: tuple[str, ...]


def split(conversations: Source, *, by: By, fraction: float, seed: int) -> Halves:
    """Split conversations at random, stratified by task and arm.

    Whole users stay together with ``by="user"``; a conversation without a user stands for itself.
    Conversations with the very same words stay together too: on both sides they would be an overlap.

    Args:
        conversations: What is split: a path or conversations.
        by: What is kept in one half: each user's, or each conversation's, data.
        fraction: The proportion of ``a`` in each task and arm, as far as units allow; above 0 and below 1.
        seed: Moves the draw.

    Raises:
        InputError: There is no such file or unit, the fraction is out of range, the seed is no whole number, or one
            part would be empty.
    """
    check_whole("split", "seed", seed)
    if not isinstance(fraction, Real) or not 0 < fraction < 1:
        raise InputError(f"the fraction must be above 0 and below 1, but is {one_line(repr(fraction))}")
    conversations = read_source(conversations)
    if by not in get_args(By):
        raise InputError(f"by must be {' or '.join(get_args(By))}, but is {one_line(repr(by))}")
    units = _units(conversations, by)
    in_a = _drawn(units, conversations, fraction=fraction, seed=seed)
    a = tuple(c for index, c in enumerate(conversations) if index in in_a)
    b = tuple(c for index, c in enumerate(conversations) if index not in in_a)
    if not a or not b:
        raise InputError(
            f"{len(conversations)} conversations in {len(units)} {by}s "
            f"cannot be split so that one half gets {fraction:g} of them"
        )
    warnings = []
    unknown = sum(c.user is None for c in conversations)
    if by == "user" and unknown:
        known = (
            "no user is known" if unknown == len(conversations) else f"{unknown} conversations have no user"
        )
        warnings.append(f"{known}: each such conversation counts as a user of its own")
    return Halves(a, b, tuple(warnings))


def _units(conversations: Sequence[Conversation], by: By) -> list[list[int]]:
    """Group the indices of conversations that stay together, directly or through others."""
    parent = list(range(len(conversations)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, conversation in enumerate(conversations):
        keys = [("said", conversation.fingerprint)]
        if by == "user" and conversation.user is not None:
            keys.append(("user", conversation.user))
        for key in keys:
            parent[root(index)] = root(first.setdefault(key, index))
    units = defaultdict(list)
    for index in range(len(conversations)):
        units[root(index)].append(index)
    return list(units.values())


def _drawn(
    units: Sequence[Sequence[int]], conversations: Sequence[Conversation], *, fraction: float, seed: int
) -> set[int]:
    """Take units in random order, each to the side that keeps the shares so far nearest to ``fraction``.

    The shares are those of every task and arm and of the whole; ties are drawn.
    """
    draws = generator(seed, "split")
    seen: Counter[object] = Counter()
    taken: Counter[object] = Counter()
    in_a: set[int] = set()
    for unit in draws.permutation(len(units)):
        indices = units[unit]
        counts = _counts(conversations[index] for index in indices)
        seen += counts
        strata = list(counts)
        off = [taken[s] - fraction * seen[s] for s in strata]
        cost_a = sum((miss + counts[s]) ** 2 for miss, s in zip(off, strata, strict=True))
        cost_b = sum(miss**2 for miss in off)
        coin = draws.random()
        if cost_a < cost_b or (cost_a == cost_b and coin < 0.5):
            taken += counts
            in_a.update(indices)
    return in_a


def _counts(conversations: Iterable[Conversation]) -> Counter[object]:
    """Count conversations by stratum, and in all under None."""
    strata: Counter[object] = Counter()
    for conversation in conversations:
        strata[(conversation.task, conversation.arm)] += 1
        strata[None] += 1
    return strata
