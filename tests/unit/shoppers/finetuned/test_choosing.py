"""Which conversations are learned from."""

from collections.abc import Sequence
from typing import Any

import pytest

from convsim.errors import InputError
from convsim.schema.conversation import Conversation
from convsim.shoppers.finetuned.split import Chosen, choose
from tests.unit.shoppers.finetuned.talks import talk


def chosen(conversations: Sequence[Conversation], **how: Any) -> Chosen:
    return choose(conversations, **{"learn_arm": None, "exclude": (), "held_out": 0.15, "seed": 1, **how})


def ids(conversations: Sequence[Conversation]) -> set[str]:
    return {conversation.id for conversation in conversations}


def test_everybody_is_learned_from_or_held_out_and_nobody_both() -> None:
    found = chosen([talk(n) for n in range(40)])
    assert not ids(found.learned) & ids(found.held_out)
    assert ids(found.conversations) == {f"c{n}" for n in range(40)}
    assert len(found.held_out) == 6
    assert (found.excluded, found.n_excluded_users, found.warnings) == ((), 0, ())


def test_a_user_is_held_out_as_a_whole_and_within_each_task_and_arm() -> None:
    talks = [
        talk(n, user=f"u{n // 2}", arm=("good", "bad")[n // 2 % 2], task=("shoes", "hats")[n // 4 % 2])
        for n in range(160)
    ]
    found = chosen(talks, held_out=0.25)
    assert not {c.user for c in found.learned} & {c.user for c in found.held_out}
    for arm in ("good", "bad"):
        for task in ("shoes", "hats"):
            assert len([c for c in found.held_out if (c.arm, c.task) == (arm, task)]) == 10


def test_the_seed_moves_who_is_held_out() -> None:
    talks = [talk(n) for n in range(40)]
    drawn = [ids(chosen(talks, seed=seed).held_out) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_one_arm_can_be_learned_from_alone() -> None:
    talks = [talk(n, arm=("good", "bad")[n % 2]) for n in range(50)]
    assert {c.arm for c in chosen(talks, learn_arm="bad").conversations} == {"bad"}
    with pytest.raises(
        InputError, match="'best': the conversations do not have this arm; they have: bad, good"
    ):
        chosen(talks, learn_arm="best")


def test_conversations_are_excluded_by_what_was_said_whatever_they_are_called() -> None:
    talks = [talk(n, user=None) for n in range(30)]
    same = [c.but(id=f"other{n}", arm="bad") for n, c in enumerate(talks[:5])]
    found = chosen(talks, exclude=[*same, talk(99, user=None)])
    assert ids(found.conversations) == {f"c{n}" for n in range(5, 30)}
    assert set(found.excluded) == {c.fingerprint for c in talks[:5]}
    assert found.n_excluded_users == 0


def test_whatever_else_an_excluded_user_said_is_refused_too() -> None:
    talks = [talk(n, user=f"u{n // 2}") for n in range(30)]
    found = chosen(talks, exclude=[talks[0], talk(99, "something else", user="u1")])
    # c0 itself; of the same person c1; of the other person c2 and c3.
    assert ids(found.conversations) == {f"c{n}" for n in range(4, 30)}
    assert (found.excluded, found.n_excluded_users) == ((talks[0].fingerprint,), 3)


def test_a_failed_conversation_and_one_in_which_nobody_spoke_are_left_out() -> None:
    failed = talk(98, failure="the agent broke", ending="agent_failed")
    talks = [*(talk(n) for n in range(20)), failed, talk(99, " ")]
    assert ids(chosen(talks).conversations) == {f"c{n}" for n in range(20)}


def test_a_shopper_is_trained_on_at_least_twenty_conversations() -> None:
    assert len(chosen([talk(n) for n in range(20)]).conversations) == 20
    with pytest.raises(InputError, match=r"at least 20 conversations, but there are 19$"):
        chosen([talk(n) for n in range(19)])
    talks = [talk(n) for n in range(25)]
    with pytest.raises(InputError, match=r"there are 19 \(6 more are left out by --exclude\)"):
        chosen(talks, exclude=talks[:6])


def test_a_control_that_is_known_only_afterwards_is_refused_with_the_reason() -> None:
    persona = {"id": "p", "need": "x", "patience": {"value": "low", "known": "afterwards"}}
    talks = [*(talk(n) for n in range(25)), talk(25, persona=persona)]
    with pytest.raises(InputError, match="conversation c25: its persona's patience is known only afterwards"):
        chosen(talks)
    before = {**persona, "patience": {"value": "low", "known": "before"}}
    assert len(chosen([*talks[:25], talk(25, persona=before)]).conversations) == 26


@pytest.mark.parametrize(
    "talks", [[], [talk(n, " ") for n in range(30)], [talk(n, failure="x") for n in range(30)]]
)
def test_where_no_user_spoke_there_is_nothing_to_learn(talks: list[Conversation]) -> None:
    with pytest.raises(
        InputError, match="nothing to learn from: no conversation has a user message with text"
    ):
        chosen(talks)


def test_of_one_user_nobody_can_be_held_out() -> None:
    with pytest.raises(InputError, match="no users can be held out for early stopping: 30 conversations"):
        chosen([talk(n, user="one") for n in range(30)])


def test_conversations_without_users_are_split_one_by_one_and_that_is_said() -> None:
    assert chosen([talk(n, user=None) for n in range(30)]).warnings == (
        "no user is known: each such conversation counts as a user of its own",
    )
