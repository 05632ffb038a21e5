"""Users who do not listen: whose messages they are, what they follow, and that the agent's side stays."""

from collections import Counter

import pytest

from convsim.evaluation.adversaries import ADVERSARIES
from convsim.evaluation.adversaries.phrases import phrases_for
from convsim.evaluation.adversaries.talk import asks, followed
from convsim.schema.conversation import Conversation, Message


def made(name: str, people: list[Conversation]) -> list[Conversation]:
    return ADVERSARIES[name].simulate(people, seed=5)


def texts(conversation: Conversation) -> tuple[str, ...]:
    return tuple(m.content for m in conversation.user_messages)


def agent(conversation: Conversation) -> list[Message]:
    return [m for m in conversation.messages if m.role != "user"]


PASTED = ("user_of_another_conversation", "user_of_another_within_the_task", "user_of_another_arm")


@pytest.mark.parametrize("name", PASTED)
def test_a_pasted_user_is_whole_and_somebody_elses_with_that_ending(name, people):
    crowd = made(name, people)
    assert Counter((texts(c), c.ending) for c in crowd) == Counter((texts(c), c.ending) for c in people)
    assert all(agent(one) == agent(person) for one, person in zip(crowd, people, strict=True))
    moved = sum(texts(one) != texts(person) for one, person in zip(crowd, people, strict=True))
    assert moved >= len(people) // 2


def test_within_the_task_users_stay_in_task_and_arm(people):
    def by_task(side):
        return Counter((c.task, c.arm, texts(c)) for c in side)

    assert by_task(made("user_of_another_within_the_task", people)) == by_task(people)


def test_a_crowd_of_one_arm_offers_no_other(people):
    assert made("user_of_another_arm", [c for c in people if c.arm == "good"]) == []


@pytest.mark.parametrize("name", ["never_answers", "always_says_yes"])
def test_only_answers_to_questions_change(name, people):
    for one, person in zip(made(name, people), people, strict=True):
        before = followed(person)
        for a, b, heard in zip(texts(one), texts(person), before, strict=True):
            assert asks(heard) or a == b
            if asks(heard) and name == "always_says_yes":
                assert a in phrases_for(people).yes


def test_agreeing_begins_after_the_first_message(people):
    agreeing = set(phrases_for(people).agreeing)
    for one, person in zip(made("agrees_with_everything", people), people, strict=True):
        assert texts(one)[:1] == texts(person)[:1]
        assert set(texts(one)[1:]) <= agreeing


def test_repeating_the_agent_quotes_its_last_words():
    talk = Conversation(
        id="c",
        messages=(
            Message(role="user", content="red shoes"),
            Message(role="assistant", content="I have many red shoes here. Which size do you wear?"),
            Message(role="user", content="9"),
        ),
    )
    assert texts(made("repeats_the_agent", [talk])[0]) == ("red shoes", "here. Which size do you wear? 9")


def test_about_half_coach_the_agent_once(people):
    coaching = phrases_for(people).coaching
    coached = [
        sum(any(p in text for p in coaching) for text in texts(c)) for c in made("coaches_the_agent", people)
    ]
    assert set(coached) == {0, 1}
    assert 18 <= sum(coached) <= 42


def test_phrases_are_in_the_crowds_language():
    talk = [
        Conversation(id="c", messages=(Message(role="user", content="我想买一双红色的鞋，要四十二码的"),) * 2)
    ]
    (one,) = made("agrees_with_everything", talk)
    assert texts(one)[1] in phrases_for(talk).agreeing
    german = (
        "Ich suche rote Schuhe in Größe zweiundvierzig, am liebsten aus Leder und nicht zu teuer, bitte sehr. "
        * 3
    )
    assert (
        made(
            "agrees_with_everything", [Conversation(id="c", messages=(Message(role="user", content=german),))]
        )
        == []
    )
