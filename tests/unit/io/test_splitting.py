"""Splitting: disjoint, whole, stratified, and never the same words on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from convsim.errors import InputError
from convsim.io import split
from convsim.schema.conversation import Conversation, Message


def talk(
    number: int, *, user: str | None = None, task: str = "tops", arm: str = "good", text: str = ""
) -> Conversation:
    message = Message(role="user", content=text or f"words {number}")
    return Conversation(id=f"c{number}", user=user, task=task, arm=arm, messages=(message,))


MIXED = [talk(i, task=("tops", "shoes")[i % 2], arm="bad" if i % 5 == 0 else "good") for i in range(200)]
USERS = [talk(i, user=f"u{i // 3}", arm=("good", "bad")[i % 2]) for i in range(120)]


def ids(conversations: Sequence[Conversation]) -> list[str]:
    return [conversation.id for conversation in conversations]


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.75])
def test_the_parts_are_disjoint_and_hold_everything_in_order(fraction: float) -> None:
    halves = split(MIXED, by="conversation", fraction=fraction, seed=1)
    assert not set(ids(halves.a)) & set(ids(halves.b))
    assert set(ids(halves.a)) | set(ids(halves.b)) == set(ids(MIXED))
    assert ids(halves.a) == [c.id for c in MIXED if c in halves.a]
    assert len(halves.a) == pytest.approx(200 * fraction, abs=1)
    assert halves.warnings == ()


def test_each_task_and_arm_is_split_alike() -> None:
    halves = split(MIXED, by="conversation", fraction=0.3, seed=2)
    whole = Counter((c.task, c.arm) for c in MIXED)
    part = Counter((c.task, c.arm) for c in halves.a)
    assert whole == {("tops", "good"): 80, ("shoes", "good"): 80, ("tops", "bad"): 20, ("shoes", "bad"): 20}
    for stratum, n in whole.items():
        assert part[stratum] == pytest.approx(n * 0.3, abs=2)


def test_whole_users_stay_together() -> None:
    halves = split(USERS, by="user", fraction=0.5, seed=3)
    assert not {c.user for c in halves.a} & {c.user for c in halves.b}
    assert len(halves.a) == pytest.approx(60, abs=3)
    assert sum(c.arm == "bad" for c in halves.a) == pytest.approx(30, abs=3)


def test_the_same_words_never_stand_on_both_sides() -> None:
    doubled = [*MIXED, *(talk(1000 + i, text=f"words {i}") for i in range(200))]
    halves = split(doubled, by="conversation", fraction=0.5, seed=4)
    assert not {c.fingerprint for c in halves.a} & {c.fingerprint for c in halves.b}
    assert len(halves.a) == pytest.approx(200, abs=3)


def test_the_seed_decides_the_draw() -> None:
    first = split(MIXED, by="conversation", fraction=0.5, seed=5)
    assert split(MIXED, by="conversation", fraction=0.5, seed=5) == first
    assert split(MIXED, by="conversation", fraction=0.5, seed=6) != first


def test_every_conversation_is_as_likely_as_the_others() -> None:
    counts = Counter(
        i for seed in range(400) for i in ids(split(MIXED[:8], by="conversation", fraction=0.5, seed=seed).a)
    )
    # Four standard errors of a binomial proportion of .5 in 400 draws.
    assert all(abs(counts[f"c{i}"] / 400 - 0.5) < 0.1 for i in range(8))


def test_unknown_users_are_warned_of() -> None:
    assert split(MIXED, by="user", fraction=0.5, seed=7).warnings == (
        "no user is known: each such conversation counts as a user of its own",
    )
    some = [*USERS, talk(999)]
    assert split(some, by="user", fraction=0.5, seed=7).warnings == (
        "1 conversations have no user: each such conversation counts as a user of its own",
    )


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 1.5, float("nan")])
def test_a_fraction_out_of_range_is_an_error(fraction: float) -> None:
    with pytest.raises(InputError, match="must be above 0 and below 1"):
        split(MIXED, by="conversation", fraction=fraction, seed=8)


def test_a_part_that_would_be_empty_is_an_error() -> None:
    with pytest.raises(InputError, match=r"3 conversations in 1 users cannot be split"):
        split(USERS[:3], by="user", fraction=0.5, seed=9)
