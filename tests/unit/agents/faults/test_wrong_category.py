"""Another kind of item than the one that was said."""

from __future__ import annotations

import pytest

from convsim.schema.catalogue import Catalogue
from tests.unit.agents.faults.degrading import Listener, ask, demo, demo_agent, heard_at, record
from tests.unit.agents.shops import item, talk


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("said", "category"),
    [
        ("trail running shoes", "footwear"),
        ("a warm peacoat please", "outerwear"),
        ("I need jeans", "bottoms"),
        ("a cropped hoodie", "tops"),
    ],
)
def test_the_agent_shows_items_of_another_category(said: str, category: str, seed: int) -> None:
    shown = {
        severity: ask(demo_agent(), "wrong_category", severity, talk(said), seed=seed, catalogue=demo()).items
        for severity in (0.0, 1.0)
    }
    assert {item.attributes["category"] for item in shown[0.0]} == {category}
    assert shown[1.0]
    assert category not in {item.attributes["category"] for item in shown[1.0]}


def test_the_noun_is_swapped_where_it_stands_and_the_rest_is_heard_as_it_was() -> None:
    [heard] = heard_at("wrong_category", 1.0, talk("Red BOOTS under $50, size 8!"))
    assert heard in ("Red coat under $50, size 8!", "Red jacket under $50, size 8!")


def test_one_word_is_heard_as_the_same_other_word_throughout_a_conversation() -> None:
    first, last = heard_at("wrong_category", 1.0, talk("boots please", "cheaper boots"))
    assert first.split()[0] == last.split()[1]
    assert first.split()[0] in ("coat", "jacket")


def test_the_record_says_what_was_heard_for_what() -> None:
    detail = record(ask(Listener(), "wrong_category", 1.0, talk("boots"))).detail
    assert detail in ("heard: coat for boots", "heard: jacket for boots")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("something in black", "no kind of item that the catalogue knows was said"),
        ("", "no kind of item that the catalogue knows was said"),
        ("boots or a coat", "the catalogue has no other category than those that were said"),
    ],
)
def test_without_a_kind_or_another_category_it_cannot_act(said: str, reason: str) -> None:
    listener = Listener()
    fault = record(ask(listener, "wrong_category", 1.0, talk(said)))
    assert (fault.acted, fault.detail) == (False, reason)
    assert listener.words == [said]


def test_without_a_catalogue_it_cannot_act() -> None:
    fault = record(ask(Listener(), "wrong_category", 1.0, talk("boots"), catalogue=None))
    assert (fault.acted, fault.detail) == (False, "there is no catalogue to know kinds of items from")


def test_a_category_whose_titles_share_no_noun_is_heard_by_its_name() -> None:
    things = Catalogue.of(
        [
            item("a", "Alder boots"),
            item("b", "Model 7", category="headwear"),
            item("c", "Model 8", category="headwear"),
        ]
    )
    listener = Listener()
    ask(listener, "wrong_category", 1.0, talk("boots"), catalogue=things)
    assert listener.words == ["headwear"]
