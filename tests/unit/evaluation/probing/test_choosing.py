"""Which item and which act: by hand."""

from dataclasses import replace

import numpy as np
import pytest

from convsim.evaluation.probing.asking import Answer
from convsim.evaluation.probing.choosing import (
    CHANCE,
    FIRST_SHOWN,
    NO_ITEM,
    NOT_SHOWN,
    ONE_SHOWN,
    TOOK_NONE,
    ask_about_acts,
    ask_about_items,
)
from convsim.evaluation.probing.places import Place
from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Persona
from tests.unit.shoppers.logs import agent, boots, user

PERSONA = Persona(id="p", need="boots")


def accepted(unit: int, taken: tuple[str, ...] = ("b2",), shown: int = 4) -> Place:
    messages = (user("boots"), agent("these", *boots(shown)))
    conversation = Conversation(id=f"c{unit}", messages=messages)
    message = Message(role="user", content="this", accepted=taken)
    return Place(conversation, PERSONA, 1, 2, "accept", message, "accepted", f"user {unit}")


def takes(place: Place, *items: str | None) -> list[Answer]:
    return [
        Answer(place=place.key, draw=draw, action="accept" if item else "leave", item=item)
        for draw, item in enumerate(items)
    ]


def items_of(places, answers):
    return ask_about_items(places, answers, rng=np.random.default_rng(1))


def test_who_takes_what_people_took_is_better_than_chance_and_the_first_shown():
    places = [accepted(n) for n in range(12)]
    found = items_of(places, {p.key: takes(p, "b2", "b2", None, "b1") for p in places})
    assert found.estimate == pytest.approx(2 / 3)
    assert {s.of: s.accuracy.estimate for s in found.parts[0].scores} == {
        "shopper": pytest.approx(2 / 3), CHANCE: 0.25, FIRST_SHOWN: 0.0,
    }  # fmt: skip
    assert (found.against, found.verdict) == (CHANCE, "aligned")


def test_where_people_take_the_first_it_is_the_first_that_is_to_be_beaten():
    places = [accepted(n, ("b0",)) for n in range(12)]
    found = items_of(places, {p.key: takes(p, "b0") for p in places})
    assert (found.against, found.baseline, found.verdict) == (FIRST_SHOWN, 1.0, "undecided")
    wrong = items_of(places, {p.key: takes(p, "b1") for p in places})
    assert wrong.verdict == "different"


def test_stated_probabilities_are_those_given_that_it_takes_one():
    places = [accepted(n) for n in range(8)]
    stated = {
        p.key: [Answer(place=p.key, draw=0, action="leave", items={"b2": 0.2, "b0": 0.2})] for p in places
    }
    assert items_of(places, stated).estimate == pytest.approx(0.5)


def test_what_cannot_be_asked_is_counted_by_why():
    places = [accepted(0, ()), accepted(1, ("x",)), accepted(2, ("b0",), 1), accepted(3)]
    found = items_of(places, {p.key: takes(p, None) for p in places})
    assert found.left_out == {NO_ITEM: 1, NOT_SHOWN: 1, ONE_SHOWN: 1, TOOK_NONE: 1}
    assert found.verdict == "undecided"
    assert found.reason.startswith("there is no place with an item accepted among several")


def said(n: int, *, same: bool):
    """Places at which half of the people ask and half thank; the shopper does as they do, or what everybody does."""
    places, answers, acts = [], {}, {}
    for unit in range(n):
        place = replace(accepted(unit), move="say", outcome="neither")
        act = frozenset(["ask"] if unit % 2 else ["thank"])
        places.append(place)
        answers[place.key] = [Answer(place=place.key, draw=0, action="say", text="words")]
        acts[f"person {place.key}"] = act
        acts[f"0 {place.key}"] = act if same else frozenset(["ask"])
    return places, answers, acts


def acts_of(*given):
    return ask_about_acts(*given, source="rules:1", rng=np.random.default_rng(1))


def test_who_does_what_people_do_is_better_than_another_person():
    found = acts_of(*said(20, same=True))
    assert (found.estimate, found.verdict) == (1.0, "aligned")
    # Of 19 others at the same turn 9 do the same.
    assert found.baseline == pytest.approx(9 / 19)
    assert found.total_variation.estimate == 0.0
    assert found.parts[0].people == {"ask": 0.5, "thank": 0.5}


def test_who_always_does_the_same_is_no_better_than_another_person():
    found = acts_of(*said(20, same=False))
    assert (found.estimate, found.verdict) == (0.5, "undecided")
    assert found.total_variation.estimate == pytest.approx(0.5)
    assert found.parts[0].shopper == {"ask": 1.0, "thank": 0.0}


def test_without_words_nothing_is_told_of_acts():
    places, answers, _ = said(10, same=True)
    found = acts_of(places, answers, {})
    assert (found.n, found.verdict, found.left_out) == (
        0,
        "undecided",
        {"the person said nothing with the move": 10},
    )
