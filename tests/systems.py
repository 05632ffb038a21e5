"""Conversations with several recommenders, whose users rate them: levels of recommenders are given."""

from collections.abc import Sequence

import numpy as np

from convsim.schema.conversation import Conversation, Label, Message
from convsim.stats.group_levels import GroupLevels

NAMES = ("ant", "bee", "cat", "dog", "elk", "fox")


def rated(
    levels: Sequence[float],
    *,
    n_users: int,
    seed: int,
    met: int | None = None,
    simulator: str | None = None,
    names: Sequence[str] = NAMES,
    name: str = "u",
    accepts: bool = False,
) -> list[Conversation]:
    """Return conversations of users who each met some recommenders (all by default) and rated them from 1 to 5.

    With ``accepts`` they state an ending instead: accepted or left.
    """
    rng = np.random.default_rng([seed, n_users])
    made = []
    for number in range(n_users):
        habit = rng.normal(0, 0.4)
        for place in sorted(rng.permutation(len(levels))[: met or len(levels)].tolist()):
            rating = float(np.clip(round(levels[place] + habit + rng.normal(0, 0.7)), 1, 5))
            label = Label(value=rating, source="self", scale=(1.0, 5.0))
            made.append(
                Conversation(
                    id=f"{name}{number}-{place}",
                    user=f"{name}{number}",
                    agent=names[place],
                    task=("boots", "coats")[number % 2],
                    simulator=simulator,
                    ending=("accepted" if rating > 3 else "left") if accepts else "unknown",
                    labels={} if accepts else {"satisfaction": (label,)},
                    messages=(
                        Message(
                            role="user",
                            content=f"{name} {number} asks {names[place]} for {rng.integers(10**9)}",
                        ),
                        Message(role="assistant", content="Here you are."),
                    ),
                )
            )
    return made


def drawn_levels(
    levels: Sequence[float], rng: np.random.Generator, *, n_users: int, met: int, binary: bool = False
) -> GroupLevels:
    """Draw outcomes of users who each met ``met`` of the systems, added up."""
    shape = (n_users, len(levels))
    has = rng.random(shape).argsort(axis=1) < met
    values = np.asarray(levels, np.float64) + rng.normal(0, 0.5, (n_users, 1)) + rng.normal(size=shape)
    return GroupLevels(np.where(has, (values > 0) if binary else values, 0.0), has.astype(np.float64))
