"""Where people moved, and what a shopper may know there: nothing of what came later."""

import pytest

from convsim.evaluation.probing.places import NO_NEED, NOTHING_AFTER, find_places, shown_at
from convsim.schema.conversation import Conversation
from convsim.schema.persona import Persona
from tests.unit.shoppers.logs import agent, boots, logged, user


def moves(conversation: Conversation) -> list[tuple[int, str]]:
    return [(place.turn, place.move) for place in find_places([conversation]).places]


def told(*messages, ending="unknown", **more) -> Conversation:
    return Conversation.model_validate({"id": "c", "messages": messages, "ending": ending, **more})


NEED = user("i want waterproof rain boots")
SHOWS = agent("these", *boots(3))


@pytest.mark.parametrize(
    ("ending", "expected"),
    [("left", "leave"), ("accepted", "accept"), ("unknown", "stop")],
)
def test_an_end_without_words_is_a_move_after_what_the_agent_said_last(ending, expected):
    conversation = told(NEED, SHOWS, user("cheaper ones"), SHOWS, ending=ending)
    assert moves(conversation) == [(1, "say"), (2, expected)]
    assert find_places([conversation]).places[-1].message is None


@pytest.mark.parametrize("ending", ["turn_limit", "agent_ended", "agent_failed"])
def test_what_somebody_else_ended_is_no_move(ending):
    assert moves(told(NEED, SHOWS, user("cheaper ones"), ending=ending)) == [(1, "say")]


def test_a_last_message_without_an_answer_ends_the_conversation():
    assert moves(told(NEED, SHOWS, user("i take the red ones"), ending="accepted")) == [(1, "accept")]
    assert moves(told(NEED, SHOWS, user("no thanks"))) == [(1, "stop")]


def test_with_the_first_accept_a_conversation_is_over():
    takes = user("i take these", action="accept", accepted=["b1"])
    conversation = told(NEED, SHOWS, takes, SHOWS, user("and socks"), SHOWS, ending="left")
    [place] = find_places([conversation]).places
    assert (place.move, place.message.accepted, shown_at(place)) == ("accept", ("b1",), ("b0", "b1", "b2"))


def test_messages_in_a_row_are_one_move():
    [place] = find_places(
        [told(NEED, SHOWS, user("hm"), user("cheaper ones"), SHOWS, ending="turn_limit")]
    ).places
    assert place.message.content == "hm\ncheaper ones"


def test_nothing_is_asked_before_the_need_is_stated_nor_where_it_is():
    greets = told(user("hello"), agent("hi, what do you want?"), NEED, SHOWS, user("cheaper ones"), SHOWS)
    assert moves(greets) == [(2, "say"), (3, "stop")]
    found = find_places([greets])
    assert {place.persona.need for place in found.places} == {"i want waterproof rain boots"}
    for place in found.places:
        said = [m.content for m in place.prefix.messages]
        assert place.persona.need in said
        assert place.message is None or place.message.content not in said


def test_a_shopper_is_told_nothing_that_came_later_and_no_label():
    conversation = logged("c1", "rain boots please", "cheaper ones", by="u7", ending="accepted")
    noted = conversation.but(metadata={"liked": ["b1"]})
    places = find_places([noted]).places
    for place in places:
        written = place.prefix.to_json()
        for later in ("LABELLED", "accepted", "liked", "u7"):
            assert later not in written.replace('"drawn_from_user": "u7"', "")
        assert place.prefix.ending == "unknown"
    assert [len(place.prefix.messages) for place in places] == [2, 4]


def test_a_persona_of_the_log_is_taken_without_what_is_known_afterwards():
    persona = Persona.model_validate(
        {"id": "p1", "need": "boots", "budget": 50, "patience": {"value": "low", "known": "afterwards"}}
    )
    found = find_places(
        [told(user("hello"), SHOWS, user("ok bye"), ending="left", persona=persona, user="u1")]
    )
    [place] = found.places
    assert (place.persona.need, place.persona.patience, place.persona.budget.value) == ("boots", None, 50)
    assert place.persona.metadata == {"drawn_from": "c", "drawn_from_user": "u1"}
    assert (found.late_controls, place.unit) == (1, "user u1")


def test_what_nothing_can_be_asked_about_is_counted():
    found = find_places([told(user("hello"), agent("hi")), told(NEED, ending="turn_limit"), told()])
    assert not found.places
    assert found.left_out == {NO_NEED: 2, NOTHING_AFTER: 1}


def test_tools_and_systems_are_neither_turns_nor_shown():
    tool = {"role": "tool", "content": "secret result"}
    conversation = told(
        {"role": "system", "content": "be kind"}, NEED, tool, SHOWS, tool, user("ok"), ending="left"
    )
    [place] = find_places([conversation]).places
    assert [m.role for m in place.prefix.messages] == ["user", "assistant"]
    assert (place.turn, place.move) == (1, "leave")
