"""The rules on messages that were written and labelled for them, each in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from convsim.annotation import Rules, definitions
from convsim.schema.conversation import Conversation, Item, Message

JACKET = Item(id="j1", title="Ridge rain jacket", price=80.0)


def user(text: str) -> Message:
    return Message(role="user", content=text)


def agent(text: str, *items: Item) -> Message:
    return Message(role="assistant", content=text, items=items)


WISH = user("i need a jacket for hiking")
OFFER = (WISH, agent("These could be something.", JACKET))
PLACES = {
    "start": (),
    "asked": (WISH, agent("Which size and color?")),
    "offer": OFFER,
    "more": (*OFFER, user("I'll take it"), agent("It is in your cart. Is there anything else you need?")),
    "seen": (user("i want a scary film"), agent("Have you seen The Long Stair (1987)?")),
    "take": (WISH, agent("The Ridge jacket costs 80 dollars. Would you like to buy it?")),
    "liked": (WISH, agent("Here is the Ridge jacket. Do you like it?", JACKET)),
    "said": (user("I want brown suede boots"), agent("How about these sandals?", JACKET)),
}


def _examples():
    for line in Path(__file__).with_name("messages.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            place, text, acts, shows = (part.strip() for part in line.split("|"))
            yield pytest.param(place, text, acts.split(), shows.split(), id=f"{place}: {text}")


def labels_of(place: str, text: str) -> tuple[list[str], list[str]]:
    before = PLACES[place]
    annotation = Rules().label(Conversation(id="c", messages=(*before, user(text))))
    labels = annotation.messages[len(before)]
    acts = labels["acts"].value
    assert isinstance(acts, list)
    return [str(act) for act in acts], [name for name in definitions().experience_names if labels[name].value]


EXAMPLES = tuple(_examples())


@pytest.mark.parametrize(("place", "text", "acts", "shows"), EXAMPLES)
def test_a_message_gets_the_labels_that_a_person_gave_it(place, text, acts, shows):
    assert labels_of(place, text) == (acts, shows)


def test_there_are_at_least_150_messages_and_every_act_and_experience_is_among_them():
    examples = [example.values for example in EXAMPLES]
    assert len(examples) >= 150
    assert {act for example in examples for act in example[2]} == set(definitions().act_names)
    assert {name for example in examples for name in example[3]} == set(definitions().experience_names)
