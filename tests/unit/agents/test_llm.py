"""A chat model that speaks about what a search found."""

from __future__ import annotations

import asyncio
import hashlib
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convsim.agents import LLM
from convsim.agents.llm import named_items
from convsim.errors import AgentError, ModelError
from convsim.schema import AgentReply
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation, Usage
from tests.unit.agents.shops import Mouth, ids, item, shop, talk


def ask(
    model: Mouth, conversation: Conversation, catalogue: Catalogue | None = None, n_items: int = 6
) -> AgentReply:
    return asyncio.run(
        LLM(model=model, catalogue=catalogue or shop(), n_items=n_items).reply(conversation, seed=3)
    )


def prompt_for(conversation: Conversation, catalogue: Catalogue | None = None) -> str:
    model = Mouth("ok")
    ask(model, conversation, catalogue)
    return model.asked[0].content


def test_items_named_by_number_are_shown_and_the_numbers_go() -> None:
    # Red boots are boot-b alone.
    reply = ask(Mouth("The Basin ones [1] are red. What about [9]?"), talk("red boots"))
    assert ids(reply) == ["boot-b"]
    assert reply.content == "The Basin ones are red. What about?"
    assert reply.usage == Usage(input_tokens=7, output_tokens=3, seconds=0.5, cost_usd=0.25)


def test_items_named_by_title_are_shown_in_the_order_of_the_text() -> None:
    reply = ask(Mouth("Take the Corrie Work Boots, or the Alder hiking boots!"), talk("boots"))
    assert ids(reply) == ["boot-c", "boot-a"]


def test_what_it_makes_up_is_not_shown() -> None:
    assert ids(ask(Mouth("The Zephyr flying boots for $5, and [77], [0]."), talk("boots"))) == []


def test_at_most_n_items_are_shown() -> None:
    assert len(ask(Mouth("[1] [2] [3]"), talk("boots"), n_items=2).items) == 2


@settings(max_examples=100, deadline=None)
@given(
    text=st.lists(st.sampled_from(["[1]", "[2]", "[00]", "[999]", "Alder hiking boots", "boots", "\n", "]["]))
)
def test_named_items_are_always_candidates_and_none_twice(text: list[str]) -> None:
    candidates = shop().items
    named = named_items(" ".join(text), candidates)
    assert len({item.id for item in named}) == len(named)
    assert all(item in candidates for item in named)


def test_the_prompt_holds_what_was_found_and_nothing_else() -> None:
    prompt = prompt_for(talk("red boots"))
    assert "[1] Basin rain boots, $40.00; colors: red; sizes: 7, 8; material: rubber" in prompt
    assert "Alder" not in prompt


def test_what_was_shown_last_stays_a_candidate() -> None:
    prompt = prompt_for(talk("boots", "red", shown=[["boot-a", "not-in-the-catalogue"]]))
    assert "Alder hiking boots" in prompt


def test_without_a_find_the_prompt_names_no_product() -> None:
    prompt = prompt_for(talk("hi"))
    assert "Nothing matches" in prompt
    assert "[1]" not in prompt


def test_a_price_that_is_unknown_is_not_written() -> None:
    catalogue = Catalogue.of([item("a", "Alder boots", price=None)])
    assert "[1] Alder boots; colors" in prompt_for(talk("boots"), catalogue)


def test_a_template_in_a_title_is_text() -> None:
    catalogue = Catalogue.of([item("a", "{{ 7 * 7 }} {% raw %} boots")])
    assert "{{ 7 * 7 }} {% raw %} boots" in prompt_for(talk("boots"), catalogue)


def test_the_conversation_follows_the_prompt() -> None:
    model = Mouth("ok")
    ask(model, talk("boots", "red"))
    assert [(m.role, m.content) for m in model.asked[1:]] == [
        ("user", "boots"), ("assistant", "Have a look."), ("user", "red"),
    ]  # fmt: skip


def test_the_prompt_has_a_hash() -> None:
    agent = LLM(model=Mouth("x"), catalogue=shop())
    prompt = files("convsim.agents") / "prompts" / "recommend.txt.j2"
    assert agent.prompt_hash == hashlib.sha256(prompt.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("model", "says"),
    [(Mouth(ModelError("gone")), "llm: the model mouth failed: gone"), (Mouth(""), "llm: the model mouth said nothing"),
     (Mouth("[99]"), "llm answered with neither text nor items")],
)  # fmt: skip
def test_a_model_that_fails_fails_the_agent(model: Mouth, says: str) -> None:
    with pytest.raises(AgentError, match=says):
        ask(model, talk("boots"))
