"""How soon a user reacts to being shown nothing that was asked for."""

import pytest

from convsim.metrics.violations import REACTION_LATENCY
from convsim.schema.conversation import Conversation, Item, Message
from convsim.schema.persona import Constraint, Persona
from convsim.text.stated import asks_for_less, sets_aside, stated_in


def user(text: str, **more) -> Message:
    return Message(role="user", content=text, **more)


def shows(*items: dict) -> Message:
    made = tuple(Item(id=str(n), title="boots", **item) for n, item in enumerate(items))
    return Message(role="assistant", content="Here you are.", items=made)


def latency(*messages: Message, persona: Persona | None = None) -> float | None:
    return REACTION_LATENCY(Conversation(id="c", messages=messages, persona=persona))


DEAR, CHEAP = {"price": 90.0}, {"price": 30.0}


def test_the_next_message_that_says_so_is_one():
    assert latency(user("boots under $50"), shows(DEAR), user("too expensive")) == 1


def test_later_is_counted_and_never_is_one_more_than_what_is_left():
    late = [user("boots under $50"), shows(DEAR), user("nice ones"), shows(CHEAP), user("not these")]
    assert latency(*late) == 2
    assert latency(*late[:-1], user("lovely")) == 3


def test_a_color_and_a_dealbreaker_break_too():
    assert latency(user("red boots"), shows({"attributes": {"color": "blue"}}), user("i said red")) == 1
    wool = Persona(
        id="p", need="a hat", dealbreakers=(Constraint(attribute="material", op="=", value="wool"),)
    )
    shown = shows({"attributes": {"material": "wool"}})
    assert latency(user("a hat"), shown, user("something else please"), persona=wool) == 1


@pytest.mark.parametrize(
    "messages",
    [
        [user("boots under $50"), shows(DEAR, CHEAP), user("not these")],  # one suits
        [user("boots under $50"), shows({}), user("not these")],  # nobody knows the price
        [user("boots"), shows(DEAR), user("not these")],  # nothing was asked for
        [user("boots under $50"), shows(DEAR)],  # nothing follows
        [user("boots under $50")],
        [],
    ],
)
def test_without_a_reply_that_breaks_a_wish_and_a_message_after_it_there_is_no_latency(messages):
    assert latency(*messages) is None


def test_who_leaves_reacts():
    assert latency(user("boots under $50"), shows(DEAR), user("", action="leave")) == 1


def test_what_a_message_states():
    said = stated_in("Navy blue or black boots in size M, not brown, under $50")
    assert said.colors == {"navy blue", "black"}
    assert said.unwanted_colors == {"brown"}
    assert said.sizes == {"m"}
    assert (said.budget.ceiling, said.budget.below) == (50, True)
    assert not stated_in("hello there")


def test_what_sets_aside_and_what_asks_for_less():
    assert sets_aside("Not these, sorry")
    assert not sets_aside("these are great")
    assert asks_for_less("too pricey")
    assert not asks_for_less("lovely")
