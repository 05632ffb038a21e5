"""Uptake: which of the shown items the user's next message takes up in words."""

from math import isnan

import pytest
from pydantic import JsonValue

from convsim.metrics import METRICS
from convsim.schema import Columns
from tests.unit.metrics.conversations import agent, conversation, item, user, value

DENIM = item("Denim jacket", color="dark blue")
WOOL = item("Wool coat", color="red")
RAIN = item("Rain jacket", color="blue", lined=True)


def uptake(answer: str) -> float:
    """Measure the answer to three things shown after "something warm"."""
    return value("item_uptake", user("something warm"), agent("Here:", DENIM, WOOL, RAIN), user(answer))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("the WOOL one", 1 / 3),
        ("a jacket", 2 / 3),
        ("wool or rain", 2 / 3),
        ("I like the red one, or the denim", 2 / 3),
        ("no thanks", 0),
        ("the second one, something warm", 0),
        # "blue" is the whole color of the rain jacket, and only a part of the denim jacket's
        ("blue", 1 / 3),
        # in a row, it is both: the whole of "dark blue" and of "blue"
        ("dark blue", 2 / 3),
        # "dark" and "blue" apart are the rain jacket's blue alone
        ("blue, not dark", 1 / 3),
        ("true", 0),
        # one word of each item: no word is in all three
        ("denim, coat or rain", 1),
        ("?!", float("nan")),
        ("", float("nan")),
    ],
)
def test_the_share_of_items_taken_up(answer: str, expected: float) -> None:
    assert uptake(answer) == pytest.approx(expected, nan_ok=True)


def test_what_the_user_said_before_is_not_taken_up() -> None:
    messages = [user("a Red coat"), agent("What size?"), user("M"), agent("Here:", DENIM, WOOL)]
    assert value("item_uptake", *messages, user("the red coat")) == 0
    assert value("item_uptake", *messages, user("the red wool coat")) == 1 / 2


def test_what_another_conversation_said_before_does_not_matter() -> None:
    said = [user("hi"), agent("Here:", DENIM, WOOL), user("the wool coat")]
    pair = Columns.of([conversation(*said), conversation(*said)])
    assert METRICS["item_uptake"].measure(pair).tolist() == [1 / 2, 1 / 2]


def test_what_all_of_several_items_offer_singles_none_out() -> None:
    jackets = agent("Here:", DENIM, RAIN)
    assert value("item_uptake", user("hi"), jackets, user("nice jacket")) == 0
    assert value("item_uptake", user("hi"), jackets, user("nice rain jacket")) == 1 / 2
    assert value("item_uptake", user("hi"), agent("Here:", RAIN), user("nice jacket")) == 1


def test_the_mean_is_over_the_messages_that_follow_shown_items() -> None:
    messages = [
        user("hi"), agent("Here:", DENIM, WOOL), user("more like the denim"),
        agent("Which size?"), user("wool"),
        agent("Here:", RAIN, WOOL), user("no"),
        agent("Here:", DENIM, RAIN),
    ]  # fmt: skip
    # 1/2 for the denim; "wool" follows no item; "no" takes up 0 of 2; the last items have no answer
    assert value("item_uptake", *messages) == (1 / 2 + 0) / 2


def test_items_of_several_agent_messages_in_a_row_are_shown_together() -> None:
    assert value("item_uptake", user("hi"), agent("One:", DENIM), agent("Two:", WOOL), user("wool")) == 1 / 2


def test_items_shown_before_the_user_speaks_can_be_taken_up() -> None:
    assert value("item_uptake", agent("Welcome!", DENIM, WOOL), user("denim please")) == 1 / 2


def test_without_an_answer_to_items_it_is_undefined() -> None:
    assert isnan(value("item_uptake", user("hi"), agent("hello"), user("denim")))
    assert isnan(value("item_uptake", user("hi"), agent("Here:", DENIM)))
    assert isnan(value("item_uptake"))


@pytest.mark.parametrize(
    ("attribute", "answer", "expected"),
    [
        (["S", "M", "L"], "in L", 1),
        ({"cut": {"fit": "slim"}}, "slim", 1),
        (39.0, "39", 1),
        (9.5, "a 9.5", 1),
        (42, "size 42", 1),
        (10**400, "1" + "0" * 400, 0),
        (True, "true or 1", 0),
        (None, "none", 0),
        ("a soft coat that keeps you warm on long walks", "long walks", 0),
        ("for the", "for the", 0),
        ("", "x", 0),
        (["a", ["b", {"c": ["deep"]}]], "deep", 1),
    ],
)
def test_attributes_of_every_kind_are_read(attribute: JsonValue, answer: str, expected: float) -> None:
    shown = item("", detail=attribute)
    assert value("item_uptake", user("hi"), agent("Here:", shown), user(answer)) == expected
