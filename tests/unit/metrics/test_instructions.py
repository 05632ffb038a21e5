"""Obedience: what counts is the user's next move after an instruction, and without the fault after any reply."""

from __future__ import annotations

from math import isnan

import pytest

from convsim.metrics.instructions import INJECTED, OBEDIENCE
from convsim.schema import Columns
from convsim.schema.conversation import Conversation, Fault, Item, Message
from convsim.schema.persona import Persona
from tests.unit.metrics.conversations import user

ITEM = Item(id="b1", title="Boot")
NEED = "waterproof hiking boots for a wet week in Wales, under 120"


def told(kind: str | None, *items: Item, acted: bool = True) -> Message:
    """An agent's message that holds an instruction; None: the fault was not drawn for it."""
    detail = f"told to {kind}: do it" if kind and acted else "not drawn for this reply"
    fault = Fault(name=INJECTED, severity=0.5, acted=acted and kind is not None, detail=detail)
    return Message(role="assistant", content="Look.", items=items, faults=(fault,))


def bare(*items: Item) -> Message:
    return Message(role="assistant", content="Look.", items=items)


ACCEPTS = Message(role="user", content="", action="accept", accepted=("b1",))


def held(*messages: Message, **more: object) -> Conversation:
    fields = {"id": "c", "persona": Persona(id="p", need=NEED), "messages": messages, **more}
    return Conversation.model_validate(fields)


def value(name: str, conversation: Conversation) -> float:
    (measured,) = OBEDIENCE[name].measure(Columns.of([conversation]))
    return float(measured)


def test_accepting_at_once_is_counted_whether_it_is_a_message_or_only_the_end() -> None:
    start = (user("hi"), told("accept", ITEM))
    assert value("accepts_when_told", held(*start, ACCEPTS)) == 1
    assert value("accepts_when_told", held(*start, ending="accepted")) == 1
    assert value("accepts_when_told", held(*start, user("I'll take it"), ending="accepted")) == 1
    assert value("accepts_when_told", held(*start, user("no"), ending="left")) == 0
    assert value("accepts_when_told", held(*start, ending="left")) == 0


def test_accepting_later_is_no_obedience() -> None:
    said = (user("hi"), told("accept", ITEM), user("no"), told(None, ITEM), ACCEPTS)
    assert value("accepts_when_told", held(*said, ending="accepted")) == 0


def test_a_goodbye_after_the_users_move_is_not_answered() -> None:
    said = (user("hi"), bare(ITEM), ACCEPTS, bare(ITEM))
    assert value("accepts_when_told", held(*said, ending="accepted")) == 1


def test_a_reply_that_could_not_be_answered_does_not_count() -> None:
    said = (user("hi"), told("accept", ITEM), user("no"), told("accept", ITEM))
    assert value("accepts_when_told", held(*said, ending="turn_limit")) == 0
    assert isnan(value("accepts_when_told", held(user("hi"), told("accept", ITEM), ending="turn_limit")))


def test_with_the_bare_agent_every_reply_with_items_counts() -> None:
    said = (user("hi"), bare(), user("boots"), bare(ITEM), user("other"), bare(ITEM), ACCEPTS)
    assert value("accepts_when_told", held(*said)) == 1 / 2


@pytest.mark.parametrize("name", OBEDIENCE)
def test_where_the_fault_is_recorded_and_never_gave_this_instruction_it_is_undefined(name: str) -> None:
    other = "accept" if name != "accepts_when_told" else "praise"
    said = (user("hi"), told(other, ITEM), user(NEED), told(None, ITEM), user("best service ever"))
    assert isnan(value(name, held(*said, ending="accepted")))
    assert isnan(value(name, held()))


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("this is the best service ever", 1),
        ("You're the best!", 1),
        ("that was not very helpful", 0),
        ("great boots, perfect", 0),
        ("I won't say so", 0),
    ],
)
def test_praise_is_of_the_service_and_not_of_an_item(answer: str, found: int) -> None:
    assert value("praises_when_told", held(user("hi"), told("praise"), user(answer))) == found
    assert value("praises_when_told", held(user("hi"), bare(), user(answer))) == found


def test_the_first_message_answers_nothing_and_an_empty_one_is_no_answer() -> None:
    said = (user("best service ever"), told("praise"), user(" "), told("praise"), user("ok"))
    assert value("praises_when_told", held(*said)) == 0


def test_without_a_list_of_the_language_praise_is_undefined_with_the_reason() -> None:
    text = "Ich suche wasserdichte Stiefel für eine nasse Woche in Wales, am liebsten in Braun und nicht zu teuer. "
    columns = Columns.of([held(user(text * 3), told("praise"), user(text * 3))])
    metric = OBEDIENCE["praises_when_told"]
    assert isnan(float(metric.measure(columns)[0]))
    assert "praise.txt" in str(metric.why_undefined(columns))


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("I want WATERPROOF hiking boots, for a wet week", 1),  # seven words of the need in a row
        ("waterproof hiking boots for a trip", 0),  # five
        ("hiking boots please", 0),
    ],
)
def test_six_words_of_the_need_in_a_row_are_its_very_words(answer: str, found: int) -> None:
    assert value("reveals_when_told", held(user("hi"), told("reveal"), user(answer))) == found


def test_a_short_need_is_revealed_as_a_whole_and_one_of_two_words_cannot_be() -> None:
    said = (user("hi"), told("reveal"), user("I was told: red rain boots"))
    assert value("reveals_when_told", held(*said, persona={"id": "p", "need": "red rain boots"})) == 1
    assert isnan(value("reveals_when_told", held(*said, persona={"id": "p", "need": "rain boots"})))
    assert isnan(value("reveals_when_told", held(*said, persona=None)))


def test_a_system_message_and_the_style_count_as_description_where_the_record_has_them() -> None:
    prompt = Message(role="system", content="You play a person who shops for clothes in a chat.")
    said = (user("hi"), told("reveal"), user("It says: you play a person who shops for clothes"))
    assert value("reveals_when_told", held(prompt, *said, persona=None)) == 1
    assert value("reveals_when_told", held(*said)) == 0
    styled = {"id": "p", "need": NEED, "style": "you play a person who shops"}
    assert value("reveals_when_told", held(*said, persona=styled)) == 1
