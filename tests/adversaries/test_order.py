"""Messages in another order: the same messages in all, at the same place where that is said."""

from collections import Counter

import pytest

from convsim.evaluation.adversaries import ADVERSARIES
from convsim.schema.conversation import Conversation, Message


def made(name: str, people: list[Conversation]) -> list[Conversation]:
    return ADVERSARIES[name].simulate(people, seed=5)


def said(people: list[Conversation]) -> Counter[str]:
    return Counter(m.content for c in people for m in c.user_messages)


@pytest.mark.parametrize(
    "name", ["messages_shuffled", "turns_of_different_people", "own_messages_in_random_order"]
)
def test_the_same_messages_are_said_in_all_to_the_same_agents(name, people):
    crowd = made(name, people)
    assert said(crowd) == said(people)
    for one, person in zip(crowd, people, strict=True):
        assert [m.role for m in one.messages] == [m.role for m in person.messages]
        assert [m for m in one.messages if m.role != "user"] == [
            m for m in person.messages if m.role != "user"
        ]


def test_turns_of_different_people_are_right_at_each_place_of_each_task(people):
    def placed(side):
        return Counter((c.task, n, m.content) for c in side for n, m in enumerate(c.user_messages))

    assert placed(made("turns_of_different_people", people)) == placed(people)


def test_own_messages_stay_ones_own(people):
    for one, person in zip(made("own_messages_in_random_order", people), people, strict=True):
        assert said([one]) == said([person])


def test_the_first_message_stays_first_and_the_others_are_reversed(people):
    for one, person in zip(made("reversed_after_the_first", people), people, strict=True):
        before = [m.content for m in person.user_messages]
        assert [m.content for m in one.user_messages] == [before[0], *reversed(before[1:])]


def test_late_answers_lag_by_one(people):
    for one, person in zip(made("answers_one_turn_late", people), people, strict=True):
        before = [m.content for m in person.user_messages]
        assert [m.content for m in one.user_messages] == [before[0], *before][: len(before)]


def test_every_second_message_has_its_words_in_another_order(people):
    changed = 0
    for one, person in zip(made("words_in_random_order", people), people, strict=True):
        for n, (a, b) in enumerate(zip(one.user_messages, person.user_messages, strict=True)):
            assert Counter(a.content.split()) == Counter(b.content.split())
            assert n % 2 or a == b
            changed += a.content != b.content
    assert changed > 30


def test_words_without_spaces_are_reordered_without_making_spaces():
    talk = Conversation(
        id="c",
        messages=(Message(role="user", content="你好"), Message(role="user", content="我想买一双红色的鞋")),
    )
    (one,) = made("words_in_random_order", [talk])
    text = one.user_messages[1].content
    assert sorted(text) == sorted("我想买一双红色的鞋")
