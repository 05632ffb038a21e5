"""What faulty agents say, and where they say it."""

from __future__ import annotations

import pytest

from convsim.agents.faults.text import FOLDER, phrases_of
from convsim.schema.conversation import Item
from tests.unit.agents.faults.degrading import Listener, ask, record
from tests.unit.agents.shops import talk

FAULTS = ("off_topic_text", "confusing_text", "rude_text", "overlong_text", "contradiction", "unavailable")
ITEM = Item(id="b", title="Alder {boots} \x1b[2J, men's", price=90.0)


@pytest.mark.parametrize("fault", [*FAULTS, "empty_carousel"])
def test_every_file_has_eight_phrases_and_one_for_replies_without_items(fault: str) -> None:
    say = phrases_of(fault).say
    assert len(set(say)) == len(say) >= 8
    assert all(phrase.strip() == phrase and phrase.format(title="t", second="s") for phrase in say)
    assert sum("{" not in phrase for phrase in say) >= phrases_of(fault).said_at_once


def test_there_is_no_file_that_no_fault_reads() -> None:
    assert {path.stem for path in FOLDER.glob("*")} == {*FAULTS, "empty_carousel", "injected_instructions"}


@pytest.mark.parametrize("fault", ["off_topic_text", "confusing_text"])
def test_these_take_the_place_of_the_agents_words_and_leave_its_items(fault: str) -> None:
    reply = ask(Listener(content="Try the Alder.", items=[ITEM]), fault, 1.0, talk("boots"))
    assert "Try the Alder." not in reply.content
    assert reply.items == (ITEM,)
    assert record(reply).detail.startswith("said instead of the agent's words: ")


def test_two_that_take_its_place_are_both_said() -> None:
    said = talk("boots")
    off_topic = ask(Listener(), "off_topic_text", 1.0, said).content
    confusing = ask(Listener(), "confusing_text", 1.0, said).content
    both = ask(Listener(), "off_topic_text+confusing_text", 1.0, said)
    assert both.content == f"{off_topic} {confusing}"
    assert [fault.acted for fault in both.faults] == [True, True]


@pytest.mark.parametrize("fault", ["rude_text", "overlong_text"])
def test_these_are_said_before_the_answer(fault: str) -> None:
    reply = ask(Listener(content="Try the Alder."), fault, 1.0, talk("boots"))
    assert reply.content.endswith("Try the Alder.")
    assert len(reply.content) > len("Try the Alder.")


def test_a_contradiction_is_said_after_the_answer() -> None:
    reply = ask(Listener(content="Try the Alder."), "contradiction", 1.0, talk("boots"))
    assert reply.content.startswith("Try the Alder. ")


def test_an_overlong_text_has_four_different_paragraphs_and_more_than_two_hundred_words() -> None:
    paragraphs = ask(Listener(), "overlong_text", 1.0, talk("boots")).content.split("\n\n")
    assert len(set(paragraphs)) == 5
    assert len(" ".join(paragraphs).split()) > 200


@pytest.mark.parametrize("fault", FAULTS)
def test_the_seed_draws_the_phrase_and_the_same_seed_draws_it_again(fault: str) -> None:
    said = [ask(Listener(), fault, 1.0, talk("boots"), seed=seed).content for seed in range(12)]
    assert len(set(said)) > 3
    assert said == [ask(Listener(), fault, 1.0, talk("boots"), seed=seed).content for seed in range(12)]


@pytest.mark.parametrize("fault", FAULTS)
def test_whole_replies_are_drawn_as_often_as_the_severity_says_and_the_same_and_more_at_a_greater_one(
    fault: str,
) -> None:
    seeds = range(300)
    drawn = {
        severity: {
            seed for seed in seeds if record(ask(Listener(), fault, severity, talk("hi"), seed=seed)).acted
        }
        for severity in (0.3, 0.6)
    }
    assert drawn[0.3] < drawn[0.6]
    # Four standard deviations of a binomial of 300.
    assert abs(len(drawn[0.3]) - 90) < 32
    assert abs(len(drawn[0.6]) - 180) < 34


def test_hostile_titles_stand_in_phrases_as_one_printable_line() -> None:
    for seed in range(30):
        reply = ask(Listener(items=[ITEM, ITEM]), "contradiction", 1.0, talk("boots"), seed=seed)
        assert reply.content.isprintable()
        if "Alder" in reply.content:
            assert "Alder {boots} [2J" in reply.content
            return
    pytest.fail("no phrase named the title")


def test_an_unavailable_agent_is_not_asked_and_shows_nothing() -> None:
    listener = Listener(items=[ITEM])
    reply = ask(listener, "unavailable", 1.0, talk("boots"))
    assert listener.heard == []
    assert reply.content in phrases_of("unavailable").say
    assert (reply.items, reply.ends) == ((), False)
    assert record(reply).detail == "the agent was not asked"
