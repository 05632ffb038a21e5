"""Words of the user that do not reach the agent."""

from __future__ import annotations

import pytest

from convsim.agents import Retrieval
from convsim.schema.conversation import Message
from tests.unit.agents.faults.degrading import SHOP, Listener, ask, heard_at, record
from tests.unit.agents.shops import ids, talk

LONG = "I am looking for a pair of red rain boots under $50 in size 8 please"
SEVERITIES = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


def is_in_order(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(word in rest for word in part)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_heard_is_part_of_what_was_said_in_its_order_and_less_at_every_greater_severity(
    seed: int,
) -> None:
    before = said = LONG.split()
    for severity in SEVERITIES:
        heard = heard_at("partial_query", severity, talk(" ".join(said)), seed=seed)[0].split()
        assert is_in_order(heard, before)
        before = heard
    assert len(before) == 1


def test_as_large_a_share_of_the_words_is_lost_as_the_severity_says() -> None:
    said = [f"word{number}" for number in range(4000)]
    heard = heard_at("partial_query", 0.3, talk(" ".join(said)))[0].split()
    # 2,800 are expected; four standard deviations of a binomial are 116.
    assert abs(len(heard) - 2800) < 116


def test_at_severity_one_each_message_keeps_a_word() -> None:
    heard = heard_at("partial_query", 1.0, talk("red rain boots", "in size 8", "boots"))
    assert [len(text.split()) for text in heard] == [1, 1, 1]
    assert heard[2] == "boots"


def test_at_severity_one_the_agent_answers_another_question() -> None:
    agent = Retrieval(catalogue=SHOP, n_items=12)
    said = talk("black hiking boots")
    bare = ask(agent, "partial_query", 0.0, said)
    answers = [ask(agent, "partial_query", 1.0, said, seed=seed) for seed in range(6)]
    assert ids(bare) == ["boot-a"]
    assert any(ids(reply) != ids(bare) for reply in answers)


def test_only_words_of_the_user_are_lost_and_the_record_names_them() -> None:
    listener = Listener()
    said = talk("red boots", "black boots", shown=[["boot-b"]])
    reply = ask(listener, "partial_query", 1.0, said)
    heard = listener.heard[0]
    assert heard.messages[1] == said.messages[1]
    assert [message.role for message in heard.messages] == ["user", "assistant", "user"]
    lost = {"red", "black", "boots"} & set(record(reply).detail.removeprefix("not heard: ").split())
    assert record(reply).acted
    assert len(lost) >= 1
    assert len(record(reply).detail.removeprefix("not heard: ").split()) == 2
    assert [message.content for message in said.user_messages] == ["red boots", "black boots"]


@pytest.mark.parametrize("text", ["", "  \n ", "boots", "👢"])
def test_a_message_without_two_words_is_heard_whole_and_said_to_be(text: str) -> None:
    listener = Listener()
    reply = ask(listener, "partial_query", 1.0, talk(text))
    assert listener.words == [text]
    assert not record(reply).acted
    assert record(reply).detail == "no message of two words was said"


def test_a_reply_in_which_no_word_is_lost_says_that_none_was_drawn() -> None:
    assert record(ask(Listener(), "partial_query", 1e-9, talk("red boots"))).detail == (
        "not drawn for this reply"
    )


def test_instructions_of_a_system_message_are_heard_whole() -> None:
    system = Message(role="system", content="You sell red boots only.")
    said = talk("black rain boots")
    listener = Listener()
    ask(listener, "partial_query", 1.0, said.but(messages=(system, *said.messages)))
    assert listener.heard[0].messages[0] == system
