"""Stand-in conversations: the first word comes before the arm; people react, the naive one does not."""

from __future__ import annotations

from statistics import mean

import pytest

from tests.demo_data import talk
from tests.demo_data.stock import Stock, make_stock
from tests.demo_data.talk import Talk, hold_talks

GRIEVANCES = ("complain", "restate", "repeat", "confused")


@pytest.fixture(scope="module")
def stock() -> list[Stock]:
    return make_stock(0)


def grievances(talks: list[Talk], arm: str) -> float:
    """Return the proportion of moves that complain, restate, repeat or do not follow."""
    moves = [exchange.move for each in talks if each.arm == arm for exchange in each.exchanges]
    return mean(move.rule in GRIEVANCES for move in moves)


def test_the_first_message_does_not_depend_on_the_arm(
    stock: list[Stock], monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed = hold_talks("people", 40, stock, seed=3)
    monkeypatch.setattr(talk, "ONE_BAD_IN", 1)
    all_bad = hold_talks("people", 40, stock, seed=3)
    assert {each.arm for each in all_bad} == {"bad"}
    assert [each.exchanges[0].move.text for each in mixed] == [
        each.exchanges[0].move.text for each in all_bad
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_people_complain_of_the_bad_agent_and_the_naive_one_hardly_does(
    stock: list[Stock], seed: int
) -> None:
    people, naive = hold_talks("people", 320, stock, seed=seed), hold_talks("naive", 300, stock, seed=seed)
    assert grievances(people, "good") < 0.05
    assert grievances(people, "bad") > 0.15
    assert grievances(naive, "bad") < 0.06


@pytest.mark.parametrize("seed", [1, 2])
def test_people_buy_less_often_from_the_bad_agent(stock: list[Stock], seed: int) -> None:
    people = hold_talks("people", 640, stock, seed=seed)
    bought = {
        arm: mean(each.ending == "accepted" for each in people if each.arm == arm) for arm in ("good", "bad")
    }
    assert 0.03 < bought["good"] - bought["bad"] < 0.3


def test_the_good_agent_serves_the_need_better(stock: list[Stock]) -> None:
    people = hold_talks("people", 100, stock, seed=5)
    fits = {
        arm: mean(exchange.reply.fit for each in people if each.arm == arm for exchange in each.exchanges)
        for arm in ("good", "bad")
    }
    assert fits["good"] > 0.7
    assert fits["bad"] < 0.55


def test_more_conversations_do_not_change_the_first_ones(stock: list[Stock]) -> None:
    few, many = hold_talks("people", 8, stock, seed=2), hold_talks("people", 16, stock, seed=2)
    assert {each.exchanges[0].move.text for each in few} <= {each.exchanges[0].move.text for each in many}
