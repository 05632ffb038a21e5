"""Budgets, sizes and colors that do not reach the agent."""

from __future__ import annotations

import pytest

from convsim.agents import Retrieval
from tests.unit.agents.faults.degrading import SHOP, Listener, ask, demo, demo_agent, heard_at, record
from tests.unit.agents.shops import ids, talk


def test_the_agent_shows_what_costs_more_or_has_another_color() -> None:
    said = talk("red windbreaker under $50")
    for severity, all_fit in ((0.0, True), (1.0, False)):
        shown = ask(demo_agent(), "ignored_constraint", severity, said, catalogue=demo()).items
        fits = [
            item.price is not None and item.price < 50 and "red" in str(item.attributes["colors"])
            for item in shown
        ]
        assert shown
        assert all(fits) is all_fit


def test_the_kind_of_item_is_still_heard() -> None:
    agent = Retrieval(catalogue=SHOP, n_items=12)
    said = talk("red boots under $50")
    assert ids(ask(agent, "ignored_constraint", 0.0, said)) == ["boot-b"]
    assert sorted(ids(ask(agent, "ignored_constraint", 1.0, said))) == ["boot-a", "boot-b", "boot-c"]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("red rain boots under $50", "rain boots"),
        ("I need boots in size 8 or 9, not black, max 80", "I need boots in"),
        ("My budget is 60 dollars. I like wool!", "My. I like wool!"),
        ("boots for $50 please", "boots for please"),
        ("a coat, between 40 and 60 dollars", "a coat"),
        ("nothing over 30 bucks", ""),
        ("something cheaper", "something"),
        ("a boot that is not red or black, please", "a boot that is, please"),
        ("usually a 9", ""),
        ("I walk 9 miles in 8 days", "I walk 9 miles in 8 days"),
        ("boots to go with my black coat", "boots to go with my black coat"),
        ("light blue or red jackets in M", "jackets"),
        ("no leather and no suede", "no leather and no suede"),
    ],
)
def test_just_the_words_of_budget_size_and_color_are_lost(said: str, heard: str) -> None:
    assert heard_at("ignored_constraint", 1.0, talk(said)) == [heard]


def test_the_record_names_what_was_not_heard_the_newest_message_first() -> None:
    fault = record(ask(Listener(), "ignored_constraint", 1.0, talk("red boots", "under $50, size 9")))
    assert fault.acted
    assert fault.detail == "not heard: under $50, size 9, red"


@pytest.mark.parametrize("seed", range(20))
def test_a_constraint_lost_at_one_severity_is_lost_at_every_greater_one(seed: int) -> None:
    constraints = {"red", "under $50", "size 9"}
    said = talk("red boots under $50 size 9")
    lost: list[set[str]] = [set()]
    for severity in (0.2, 0.5, 0.8, 1.0):
        [heard] = heard_at("ignored_constraint", severity, said, seed=seed)
        lost.append({constraint for constraint in constraints if constraint not in heard})
        assert lost[-2] <= lost[-1]
    assert lost[-1] == constraints


def test_constraints_are_drawn_one_by_one() -> None:
    said = talk("red boots under $50 size 9")
    heard = {heard_at("ignored_constraint", 0.5, said, seed=seed)[0] for seed in range(40)}
    assert len(heard) > 4


@pytest.mark.parametrize("said", ["boots please", "", "9 miles"])
def test_without_a_constraint_it_cannot_act(said: str) -> None:
    fault = record(ask(Listener(), "ignored_constraint", 1.0, talk(said)))
    assert (fault.acted, fault.detail) == (False, "no constraint was said")


def test_without_a_catalogue_only_budgets_are_known() -> None:
    listener = Listener()
    ask(listener, "ignored_constraint", 1.0, talk("red boots, size 9, under $50"), catalogue=None)
    assert listener.words == ["red boots, size 9"]
