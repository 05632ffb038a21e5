"""A chat model as the agent."""

from __future__ import annotations

import asyncio

import pytest

from convsim.agents import OpenAIChat
from convsim.errors import AgentError, InputError, ModelError
from convsim.schema.conversation import Conversation, Message, Usage
from tests.unit.agents.shops import Mouth, talk


def test_the_messages_go_as_they_are_and_the_text_comes_back() -> None:
    model = Mouth("  Try these.  ")
    reply = asyncio.run(OpenAIChat(model=model, system="Sell.").reply(talk("boots", "red"), seed=4))
    assert [(m.role, m.content) for m in model.asked] == [
        ("system", "Sell."), ("user", "boots"), ("assistant", "Have a look."), ("user", "red"),
    ]  # fmt: skip
    assert (reply.content, reply.items) == ("Try these.", ())
    assert reply.usage == Usage(input_tokens=7, output_tokens=3, seconds=0.5, cost_usd=0.25)


def test_roles_that_a_model_does_not_know_are_left_out() -> None:
    model = Mouth("ok")
    said = (Message(role="tool", content="{}"), Message(role="user", content="hi"))
    asyncio.run(OpenAIChat(model=model).reply(Conversation(id="c", messages=said), seed=1))
    assert [m.role for m in model.asked] == ["user"]


def test_the_models_seed_follows_the_replys() -> None:
    model = Mouth("ok")
    for seed in (1, 1, 2):
        asyncio.run(OpenAIChat(model=model).reply(talk("hi"), seed=seed))
    assert model.seeds[0] == model.seeds[1] != model.seeds[2]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Mouth(ModelError("429:\n too many")), "openai_chat: the model mouth failed: 429: too many"),
        (Mouth(" "), "openai_chat: the model mouth said nothing"),
        (Mouth("x", finish_reason="content_filter"), "withheld its answer"),
        (Mouth("a" * 1_000_000), "openai_chat answered with more than 262,144 bytes of text"),
    ],
)
def test_a_model_that_fails_fails_the_agent(model: Mouth, says: str) -> None:
    with pytest.raises(AgentError) as caught:
        asyncio.run(OpenAIChat(model=model).reply(talk("hi"), seed=1))
    assert says in str(caught.value)


def test_an_unusable_setting_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="openai_chat: max_tokens must be a whole number from 1 to 100000"):
        OpenAIChat(model=Mouth("x"), max_tokens=0)
