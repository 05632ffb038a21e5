"""The retrieval agent: what it shows, what it says, and that it says it again."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convsim.agents import Retrieval
from convsim.agents.retrieval import replies
from convsim.errors import InputError
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation, Message
from tests.unit.agents.shops import answer, ids, item, shop, talk

SHOP_TALK = st.lists(
    st.sampled_from(
        ["boots", "not", "black", "red", "under $50", "size 9", "coat", "no leather", "something else", "cheaper",
         "any color", "or", ",", ".", "but", "hiking", "max 80", "in M", "show me more", "thanks", "[1]", "{title}"]
    ),
    max_size=8,
).map(" ".join)  # fmt: skip
MESSAGES = st.lists(
    st.tuples(st.sampled_from(["user", "assistant", "system"]), st.one_of(SHOP_TALK, st.text(max_size=40))),
    max_size=6,
)


def conversation_of(said: list[tuple[str, str]]) -> Conversation:
    messages = tuple(Message.model_validate({"role": role, "content": text}) for role, text in said)
    return Conversation(id="c", messages=messages)


@settings(max_examples=150, deadline=None)
@given(said=MESSAGES, seed=st.integers(0, 2**62))
def test_whatever_is_said_the_items_are_the_catalogues_and_the_reply_comes_again(
    said: list[tuple[str, str]], seed: int
) -> None:
    conversation = conversation_of(said)
    first, again = answer(conversation, seed=seed), answer(conversation, seed=seed)
    assert first == again
    assert first.content
    assert set(ids(first)) <= {item.id for item in shop().items}
    assert len(set(ids(first))) == len(ids(first))


@settings(max_examples=60, deadline=None)
@given(
    color=st.sampled_from(["red", "black", "green"]),
    size=st.sampled_from(["7", "8.5", "9"]),
    limit=st.integers(20, 120),
    refused=st.sampled_from(["suede", "rubber", "mesh"]),
    order=st.permutations(range(4)),
)
def test_every_constraint_is_obeyed_in_whatever_order_it_is_said(
    color: str, size: str, limit: int, refused: str, order: list[int]
) -> None:
    every = [
        item(f"{c}-{s}-{p}-{m}", "Alder boots", price=float(p), colors=(c,), sizes=(s,), material=m)
        for c in ("red", "black", "green") for s in ("7", "8.5", "9")
        for p in (20, 60, 120) for m in ("suede", "rubber", "mesh")
    ]  # fmt: skip
    said = [f"in {color}", f"size {size}", f"at most ${limit}", f"no {refused}"]
    agent = Retrieval(catalogue=Catalogue.of(every), n_items=12)
    reply = asyncio.run(agent.reply(talk("boots please", *(said[i] for i in order)), seed=3))
    expected = {
        f"{color}-{size}-{p}-{m}"
        for p in (20, 60, 120) for m in ("suede", "rubber", "mesh") if p <= limit and m != refused
    }  # fmt: skip
    assert set(ids(reply)) == expected


def test_the_seed_draws_the_wording_and_never_the_items() -> None:
    conversation = talk("boots")
    drawn = [answer(conversation, seed=seed) for seed in range(30)]
    assert len({reply.content for reply in drawn}) > 3
    assert len({tuple(ids(reply)) for reply in drawn}) == 1


def test_at_most_n_items_are_shown() -> None:
    assert len(answer(talk("boots"), n_items=2).items) == 2


@pytest.mark.parametrize("n_items", [0, 13, 2.5, True, "6"])
def test_an_unusable_number_of_items_is_refused(n_items: int) -> None:
    with pytest.raises(InputError, match="retrieval: n_items must be a whole number from 1 to 12"):
        Retrieval(catalogue=shop(), n_items=n_items)


def test_items_carry_what_a_shopper_sees() -> None:
    (shown,) = answer(talk("rain boots in red")).items
    assert (shown.id, shown.title, shown.price) == ("boot-b", "Basin rain boots", 40.0)
    assert shown.attributes["colors"] == ["red"]


def test_the_answer_names_what_it_shows_first() -> None:
    reply = answer(talk("rain boots in red"))
    assert "Basin rain boots" in reply.content


def test_where_nothing_fits_it_says_so_and_in_what_the_nearest_differs() -> None:
    for seed in range(20):
        reply = answer(talk("brown boots under $20"), seed=seed)
        assert reply.items[0].id == "boot-c"
        assert "price" in reply.content
        assert re.search(r"no brown|no exact|Nothing here|could not|I have no", reply.content)


def test_what_was_rejected_is_not_shown_again() -> None:
    before = ids(answer(talk("boots"), n_items=1))
    reply = answer(talk("boots", "something else", shown=[before]))
    assert reply.items
    assert not set(ids(reply)) & set(before)


def test_when_everything_was_rejected_it_says_that_there_is_no_more() -> None:
    every = [item.id for item in shop().items]
    reply = answer(talk("boots", "not these", shown=[every]))
    assert reply.items == ()
    assert any(reply.content.startswith(start[:20]) for start in replies().say["no_more"])


def test_it_asks_when_it_knows_little_and_never_the_same_twice() -> None:
    asked: list[str] = []
    messages: list[Message] = []
    for _ in range(8):
        messages.append(Message(role="user", content="hmm"))
        reply = answer(Conversation(id="c", messages=tuple(messages)))
        messages.append(Message(role="assistant", content=reply.content))
        asked += re.findall(r"[^.!?]*\?", reply.content)
    topics = [
        topic
        for question in asked
        for topic, variants in replies().ask.items()
        if question.strip() in variants
    ]
    assert topics == ["kind", "occasion", "sizes", "price", "colors", "material"]


def test_it_asks_nothing_when_it_knows_enough() -> None:
    assert "?" not in answer(talk("black boots size 9 under $100 for hiking"), seed=5).content.replace(
        "How about", ""
    )


def test_an_altered_conversation_alters_what_is_searched_for() -> None:
    assert ids(answer(talk("rain boots"))) != ids(answer(talk("wool coat")))


def test_every_variant_of_a_sentence_can_be_said() -> None:
    # One catalogue with every attribute fills every slot, so a variant that never comes is misspelled.
    for manner, variants in replies().say.items():
        said = {
            "fitting": talk("boots"),
            "only_one": talk("rain boots in red"),
            "others": talk("boots", "not these", shown=[["boot-a"]]),
            "nearest": talk("brown boots under $20"),
            "no_more": talk("boots", "not these", shown=[[item.id for item in shop().items]]),
            "unknown": talk("hmm"),
        }[manner]
        heard = " ".join(answer(said, seed=seed).content for seed in range(100))
        for variant in variants:
            assert max(re.split(r"{\w+}", variant), key=len) in heard


def test_every_manner_can_be_said_of_an_item_that_has_only_a_title() -> None:
    for variants in replies().say.values():
        assert any(set(re.findall(r"{(\w+)}", variant)) <= {"title", "unmet"} for variant in variants)


def test_without_a_price_no_price_is_said() -> None:
    catalogue = Catalogue.of([item("a", "Alder boots", price=None)])
    for seed in range(20):
        reply = asyncio.run(Retrieval(catalogue=catalogue).reply(talk("boots"), seed=seed))
        assert "$" not in reply.content
        assert "None" not in reply.content


def test_the_currency_is_a_setting() -> None:
    agent = Retrieval(catalogue=shop(), currency="€")
    said = [asyncio.run(agent.reply(talk("rain boots in red"), seed=seed)).content for seed in range(10)]
    assert any("€40" in text for text in said)


def test_braces_in_a_title_are_text() -> None:
    catalogue = Catalogue.of([item("a", "{price} {0} boots")])
    for seed in range(20):
        assert asyncio.run(Retrieval(catalogue=catalogue).reply(talk("boots"), seed=seed)).items
