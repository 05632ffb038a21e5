"""What is said about prices."""

import pytest

from convsim.text.constraints import Budget, budget_in

NONE = Budget()


def budget(text: str, before: Budget = NONE, *, cheapest_shown: float | None = None) -> Budget:
    return budget_in(text.lower(), before, cheapest_shown=cheapest_shown)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("under $50", Budget(ceiling=50, below=True)),
        ("less than 60 dollars please", Budget(ceiling=60, below=True)),
        ("max 80", Budget(ceiling=80)),
        ("80 max", Budget(ceiling=80)),
        ("no more than $1,200.50", Budget(ceiling=1200.5)),
        ("not over 55", Budget(ceiling=55)),
        ("my budget is 90", Budget(ceiling=90)),
        ("i don't want to spend more than 70", Budget(ceiling=70)),
        ("ok but i really only have 210 for this", Budget(ceiling=210)),
        ("between $40 and $60", Budget(floor=40, ceiling=60)),
        ("$40-60", Budget(floor=40, ceiling=60)),
        ("at least $100", Budget(floor=100)),
        ("$60", Budget(ceiling=60)),
        ("under 50 in black, size 8", Budget(ceiling=50, below=True)),
        ("under 80? no, under 60", Budget(ceiling=60, below=True)),
        ("so i can't go above 500$", Budget(ceiling=500)),
        ("it shouldn't be more than $40", Budget(ceiling=40)),
        ("i don't like boots, more than $50 is fine", Budget(floor=50)),
    ],
)
def test_a_stated_limit_is_heard(text: str, expected: Budget) -> None:
    assert budget(text) == expected


@pytest.mark.parametrize(
    "text",
    ["size 9", "a 30 inch waist", "under 10 days", "I am over 40", "do you have 3 more", "100% cotton", ""],
)
def test_other_numbers_are_no_limit(text: str) -> None:
    assert budget(text) == NONE


def test_around_lets_a_fifth_more_pass() -> None:
    assert budget("around 50 bucks").ceiling == pytest.approx(60)


def test_a_later_limit_replaces_one_of_its_kind_and_keeps_the_other() -> None:
    assert budget("under $50", Budget(floor=20, ceiling=90)) == Budget(floor=20, ceiling=50, below=True)


def test_a_limit_that_contradicts_an_earlier_one_drops_it() -> None:
    assert budget("at most $30", Budget(floor=40)) == Budget(ceiling=30)


def test_cheaper_means_below_the_cheapest_that_was_shown() -> None:
    assert budget("too expensive", cheapest_shown=33) == Budget(ceiling=33, below=True)
    assert budget("something cheaper") == NONE


def test_cheaper_with_an_amount_means_the_amount() -> None:
    assert budget("something cheaper, under $20", cheapest_shown=33) == Budget(ceiling=20, below=True)
