"""Items that are swapped, shown again or taken away, and the text that goes with them."""

from __future__ import annotations

import pytest

from convsim.agents import Retrieval
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation, Item, Message
from tests.unit.agents.faults.degrading import SHOP, Listener, ask, demo, demo_agent, record
from tests.unit.agents.shops import ids, item, talk

BOOTS = [SHOP.item(item_id).to_shown() for item_id in ("boot-a", "boot-b", "boot-c")]
COATS = [SHOP.item(item_id).to_shown() for item_id in ("coat-e", "coat-f")]


def after(*shown: Item) -> Conversation:
    """Return a conversation in which the agent has shown these items."""
    said = talk("boots", "and now?")
    answer = Message(role="assistant", content="Have a look.", items=shown)
    return said.but(messages=(said.messages[0], answer, said.messages[2]))


def test_repeated_items_are_those_of_last_time_and_the_text_speaks_of_them() -> None:
    agent = Retrieval(catalogue=SHOP, n_items=1)
    said = talk("boots", "something else", shown=[["boot-b"]])
    shown = said.messages[1].but(items=(BOOTS[1],))
    said = said.but(messages=(said.messages[0], shown, said.messages[2]))
    bare = ask(agent, "repeated_items", 0.0, said)
    again = ask(agent, "repeated_items", 1.0, said)
    assert ids(bare) == ["boot-a"]
    assert again.items == (BOOTS[1],)
    assert "Alder hiking boots" in bare.content
    assert again.content == bare.content.replace("Alder hiking boots", "Basin rain boots").replace(
        "$90", "$40"
    )
    assert record(again).detail == "shown again: boot-b"


def test_new_items_beyond_last_times_are_left_out_and_shown_again_items_are_not_doubled() -> None:
    reply = ask(Listener(items=[BOOTS[1], *COATS]), "repeated_items", 1.0, after(BOOTS[0], BOOTS[1]))
    assert ids(reply) == ["boot-b", "boot-a"]
    assert record(reply).detail == "shown again: boot-a; left out: coat-f"


@pytest.mark.parametrize("fault", ["repeated_items", "irrelevant_items"])
@pytest.mark.parametrize("seed", range(10))
def test_slots_swapped_at_one_severity_hold_the_same_items_at_every_greater_one(
    fault: str, seed: int
) -> None:
    said = after(BOOTS[0], BOOTS[1], BOOTS[2]) if fault == "repeated_items" else talk("coats")
    listener = Listener(
        items=[*COATS, SHOP.item("shoe-d").to_shown()][: 2 if fault != "repeated_items" else 3]
    )
    swapped: dict[int, str] = {}
    for severity in (0.2, 0.5, 0.8, 1.0):
        shown = ids(ask(listener, fault, severity, said, seed=seed))
        now = {
            at: new for at, (new, old) in enumerate(zip(shown, listener.items, strict=True)) if new != old.id
        }
        assert swapped.items() <= now.items()
        swapped = now
    assert len(swapped) == len(listener.items)


def test_items_are_drawn_one_by_one() -> None:
    listener = Listener(items=BOOTS)
    n_swapped = {
        sum(new != old.id for new, old in zip(ids(reply), BOOTS, strict=True))
        for reply in (
            ask(listener, "irrelevant_items", 0.5, talk("boots"), seed=seed, catalogue=demo_and_shop())
            for seed in range(40)
        )
    }
    assert n_swapped == {0, 1, 2, 3}


def demo_and_shop() -> Catalogue:
    return Catalogue.of([*demo().items, *SHOP.items])


@pytest.mark.parametrize(
    ("conversation", "items", "reason"),
    [
        (talk("boots"), BOOTS, "nothing was shown before"),
        (after(BOOTS[0]), [], "the reply shows no items"),
        (after(*BOOTS), [BOOTS[2], BOOTS[0]], "the agent shows nothing new of its own"),
    ],
)
def test_repeated_items_says_why_it_cannot_act(
    conversation: Conversation, items: list[Item], reason: str
) -> None:
    reply = ask(Listener(items=items), "repeated_items", 1.0, conversation)
    assert (record(reply).acted, record(reply).detail) == (False, reason)
    assert list(reply.items) == items


@pytest.mark.parametrize("said", ["trail running shoes", "jeans", "a peacoat", "hoodies"])
def test_irrelevant_items_are_of_another_category_and_of_the_catalogue(said: str) -> None:
    bare = ask(demo_agent(), "irrelevant_items", 0.0, talk(said), catalogue=demo())
    reply = ask(demo_agent(), "irrelevant_items", 1.0, talk(said), catalogue=demo())
    [category] = {item.attributes["category"] for item in bare.items}
    assert len(set(ids(reply))) == len(bare.items)
    assert category not in {item.attributes["category"] for item in reply.items}
    assert all(item == demo().item(item.id).to_shown() for item in reply.items)
    assert not any(item.title.split(",")[0] in reply.content for item in bare.items)
    assert any(item.title.split(",")[0] in reply.content for item in reply.items)


def test_irrelevant_items_are_not_what_the_user_named_though_the_agent_misunderstood() -> None:
    hat = item("hat", "Gorse hat", category="headwear")
    things = Catalogue.of([*SHOP.items, hat])
    reply = ask(Listener(items=COATS[:1]), "irrelevant_items", 1.0, talk("boots"), catalogue=things)
    assert ids(reply) == ["hat"]


@pytest.mark.parametrize(
    ("items", "catalogue", "reason"),
    [
        (BOOTS, None, "there is no catalogue to take other items from"),
        ([], SHOP, "the reply shows no items"),
        ([Item(id="elsewhere", title="A boot")], SHOP, "none of the items shown is in the catalogue"),
        (BOOTS, Catalogue.of(SHOP.items[:3]), "the catalogue has no other category"),
    ],
)
def test_irrelevant_items_says_why_it_cannot_act(
    items: list[Item], catalogue: Catalogue | None, reason: str
) -> None:
    reply = ask(Listener(items=items), "irrelevant_items", 1.0, talk("boots"), catalogue=catalogue)
    assert (record(reply).acted, record(reply).detail) == (False, reason)
    assert list(reply.items) == items


def test_with_fewer_others_than_slots_the_rest_stays() -> None:
    others = Catalogue.of([*SHOP.items[:3], SHOP.item("coat-e")])
    shown = ids(ask(Listener(items=BOOTS), "irrelevant_items", 1.0, talk("boots"), catalogue=others))
    assert shown == ["coat-e", "boot-b", "boot-c"]


def test_an_empty_carousel_keeps_the_words() -> None:
    reply = ask(Listener(items=BOOTS), "empty_carousel", 1.0, talk("boots"))
    assert (reply.items, reply.content) == ((), "Have a look.")
    assert record(reply).detail == "not shown: 3 items"


def test_an_empty_carousel_never_leaves_a_reply_of_nothing() -> None:
    reply = ask(Listener(content="", items=BOOTS), "empty_carousel", 1.0, talk("boots"))
    assert reply.items == ()
    assert reply.content.endswith(":")


def test_an_empty_carousel_needs_items() -> None:
    fault = record(ask(Listener(), "empty_carousel", 1.0, talk("boots")))
    assert (fault.acted, fault.detail) == (False, "the reply shows no items")
