"""A need is what a user states first, before any item was shown."""

from __future__ import annotations

import pytest

from convsim.errors import StudyError
from convsim.schema.conversation import Conversation, Message
from convsim.shoppers.needs import FIRST_MESSAGES, MAX_CHARACTERS, Needs
from convsim.simulation import draw_personas
from tests.unit.shoppers.logs import agent, boots, user


def talk(*messages: Message, name: str = "c") -> Conversation:
    return Conversation(id=name, messages=messages)


def need(*messages: Message) -> str:
    conversation = talk(*messages)
    return Needs.of([conversation]).stated(conversation)


def test_a_first_message_that_states_something_is_the_need_as_it_stands() -> None:
    assert need(user("  hello, new suede booties "), agent("Here.")) == "hello, new suede booties"


def test_a_greeting_is_skipped_and_what_answers_the_agents_question_counts() -> None:
    assert need(agent("Hi! What films do you like?"), user("comedies")) == "comedies"
    assert need(
        user("Hi"), agent("Hello, how are you?"), user("fine, you?"), agent("Good."), user("a western")
    ) == ("a western")


def test_messages_in_a_row_are_joined_without_the_greetings_among_them() -> None:
    assert (
        need(user("hey"), user("i want a shoe"), user("thanks"), user("a red one"))
        == "i want a shoe\na red one"
    )


def test_a_number_is_part_of_the_need_that_is_stated_around_it() -> None:
    assert (
        need(user("hi"), user("a phone"), user("I can't go above 500$")) == "a phone\nI can't go above 500$"
    )
    assert need(user("500")) == ""


def test_what_is_said_after_the_agent_showed_items_is_no_need() -> None:
    assert need(user("Hi"), agent("Look at these.", *boots(2)), user("I hate boots")) == ""
    assert need(agent("Look at these.", *boots(1)), user("I want the red one")) == ""


def test_what_is_said_after_the_agent_named_something_in_words_alone_is_no_need() -> None:
    assert need(user("hello"), agent("Have you seen Alien (1979)?"), user("I like Blade Runner")) == ""
    assert need(user("hello"), agent("1. boots, 2. shoes"), user("why these")) == ""
    assert (
        need(user("hello"), agent("Tell me what you like"), user("I like Blade Runner"))
        == "I like Blade Runner"
    )


def test_what_is_said_late_or_to_end_the_conversation_is_no_need() -> None:
    chat = [m for _ in range(FIRST_MESSAGES) for m in (user("hi"), agent("hello"))]
    assert need(*chat, user("I want boots")) == ""
    assert need(user("hi"), agent("hello"), user("boots elsewhere then", action="leave")) == ""


def test_a_need_is_bounded() -> None:
    assert len(need(user("boots " * 10_000))) <= MAX_CHARACTERS


def test_personas_are_drawn_from_those_alone_who_state_a_need() -> None:
    real = [talk(user("hi"), agent("yes?"), name="a"), talk(user("rain boots"), name="b"), talk(name="c")]
    (drawn,) = draw_personas(real, 9, seed=1)
    assert (drawn.need, drawn.metadata["drawn_from"]) == ("rain boots", "b")


def test_where_nobody_states_a_need_no_personas_are_drawn_in_one_line() -> None:
    with pytest.raises(
        StudyError, match=r"none of the 2 conversations states a need .* --personas"
    ) as caught:
        draw_personas([talk(user("hi"), name="a"), talk(user("🙂"), name="b")], 2, seed=1)
    assert "\n" not in str(caught.value)
