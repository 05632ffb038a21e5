"""What a text says after items were swapped."""

from __future__ import annotations

import pytest

from convsim.agents.faults.core import with_items
from convsim.schema import AgentReply
from convsim.schema.conversation import Item

BOOT = Item(id="b", title="Alder boots, men's", price=90.0)
SHOE = Item(id="s", title="Dapple (canvas) shoes", price=1250.5)
COAT = Item(id="c", title="Ember coat, wool", price=60.0)
HAT = Item(id="h", title="Gorse hat", price=None)


def reworded(text: str, *swaps: tuple[Item, Item]) -> str:
    return with_items(AgentReply(content=text), (), swaps).content


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("I suggest the Alder boots at $90.", "I suggest the Ember coat at $60."),
        ("The Alder boots, men's ($90.00)", "The Ember coat, wool ($60)"),
        ("ALDER BOOTS: 90 dollars", "Ember coat: 60 dollars"),
        ("boots under $90: the Alder boots at € 90", "boots under $90: the Ember coat at €60"),
        ("The Alder boots in size 90, $900, $90.50", "The Ember coat in size 90, $900, $90.50"),
        ("Alder bootstraps and MacAlder boots", "Alder bootstraps and MacAlder boots"),
        ("Nothing here.", "Nothing here."),
    ],
)
def test_titles_and_the_prices_that_follow_them_are_those_of_the_new_item(before: str, after: str) -> None:
    assert reworded(before, (BOOT, COAT)) == after


def test_a_price_belongs_to_the_title_before_it() -> None:
    text = "The Alder boots at $90 or the Dapple (canvas) shoes at $1,250.50, not $90."
    assert reworded(text, (BOOT, COAT), (SHOE, BOOT)) == (
        "The Ember coat at $60 or the Alder boots at $90, not $90."
    )


def test_two_items_that_change_places_are_not_renamed_twice() -> None:
    assert reworded("Alder boots, then Ember coat", (BOOT, COAT), (COAT, BOOT)) == (
        "Ember coat, then Alder boots"
    )


def test_an_unknown_price_is_put_into_words() -> None:
    assert reworded("The Alder boots at $90.", (BOOT, HAT)) == "The Gorse hat at a price on request."


def test_items_without_titles_change_no_word() -> None:
    assert reworded("Have a look at $90.", (Item(id="x"), COAT)) == "Have a look at $90."


def test_a_title_is_put_in_as_it_stands() -> None:
    odd = Item(id="o", title=r"\1 {title} \g<0>")
    assert reworded("The Alder boots.", (BOOT, odd)) == r"The \1 {title} \g<0>."
