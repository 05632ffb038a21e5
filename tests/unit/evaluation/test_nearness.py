"""How near a side lies to what shoppers learned from, and what is said where that is not known."""

import numpy as np
import pytest

from convsim.evaluation.nearness import Near, nearness
from convsim.schema.conversation import Conversation, Message

WORDS = np.asarray([f"word{k}" for k in range(200)])


def talks(prefix: str, n: int, seed: int) -> list[Conversation]:
    rng = np.random.default_rng(seed)
    return [
        Conversation(
            id=f"{prefix}{i}", messages=(Message(role="user", content=" ".join(rng.choice(WORDS, 12))),)
        )
        for i in range(n)
    ]


LEARNED, PEOPLE, OTHERS = talks("l", 40, 1), talks("p", 60, 2), talks("s", 60, 3)


def near(side, *, people=PEOPLE, learned=LEARNED):
    return nearness(
        Near.of(side, learned, leave_out_learned=False), Near.of(people, learned, leave_out_learned=True)
    )


def test_others_lie_no_nearer_than_people_do():
    found = near(OTHERS)
    assert found.nearer_than_people.interval[0] <= 0.05
    assert found.longest <= 3


def test_who_repeats_with_a_word_exchanged_lies_nearer_and_has_the_longest_run():
    copies = [
        c.model_copy(
            update={"id": f"s{n}", "messages": (Message(role="user", content=f"{c.messages[0].content} ok"),)}
        )
        for n, c in enumerate(LEARNED)
    ]
    found = near([*copies, *OTHERS[:20]])
    assert found.nearer_than_people.hits >= 40
    assert found.longest == 12
    assert found.longest_in in {c.id for c in copies}
    assert found.similarity.interval[0] < found.similarity.estimate < found.similarity.interval[1]


def test_people_who_were_learned_from_do_not_say_what_is_usual():
    found = nearness(None, None)
    assert found.nearer_than_people.estimate is None
    assert "--learned" in found.nearer_than_people.reason
    assert near(OTHERS, people=LEARNED).nearer_than_people.estimate is None
    assert (
        "all its conversations"
        in nearness(
            Near.of(LEARNED, LEARNED, leave_out_learned=True),
            Near.of(PEOPLE, LEARNED, leave_out_learned=True),
        ).nearer_than_people.reason
    )


@pytest.mark.parametrize("side", [[Conversation(id="a", messages=())], talks("x", 1, 5)])
def test_one_conversation_or_none_with_words_has_no_interval(side):
    assert near(side).similarity.interval is None
