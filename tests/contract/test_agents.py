"""What every agent keeps to, built in or adapted."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import sys
from collections.abc import Callable

import pytest

import convsim.agents
from convsim.agents import (
    HTTP,
    LLM,
    Command,
    LangChain,
    OpenAIChat,
    PythonAgent,
    Retrieval,
    degrade,
)
from convsim.schema import Agent, AgentReply
from convsim.schema.conversation import Conversation
from convsim.testing import check_agent
from tests.unit.agents.shops import Mouth, shop, talk

PROGRAM = (
    "import json,sys\nfor line in sys.stdin:\n"
    " print(json.dumps({'content': str(len(json.loads(line)['messages']))}), flush=True)"
)


class Parrot:
    def invoke(self, messages: list[dict[str, str]]) -> str:
        return str(messages)


def count(conversation: Conversation, *, seed: int) -> str:
    return f"{len(conversation.messages)} {seed}"


AGENTS: dict[str, Callable[[], Agent]] = {
    "retrieval": lambda: Retrieval(catalogue=shop()),
    "llm": lambda: LLM(model=Mouth("Take the Alder hiking boots [1]."), catalogue=shop()),
    "python": lambda: PythonAgent(target=count),
    "openai_chat": lambda: OpenAIChat(model=Mouth("Try these.")),
    "langchain": lambda: LangChain(runnable=Parrot()),
    "command": lambda: Command(command=[sys.executable, "-S", "-c", PROGRAM]),
    "degraded": lambda: degrade(Retrieval(catalogue=shop()), "bad", 0.5, catalogue=shop()),
}


def test_every_agent_that_can_be_made_without_a_server_is_tried() -> None:
    exported = [getattr(convsim.agents, name) for name in convsim.agents.__all__]
    assert {type(make()) for make in AGENTS.values()} | {HTTP} == {
        part for part in exported if isinstance(part, type)
    }


@pytest.mark.parametrize("make", AGENTS.values(), ids=AGENTS)
def test_it_is_an_agent_with_a_name_and_settings_by_keyword(make: Callable[[], Agent]) -> None:
    agent = make()
    assert isinstance(agent, Agent)
    assert agent.name
    assert dataclasses.is_dataclass(agent)
    parameters = inspect.signature(type(agent)).parameters.values()
    assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("make", AGENTS.values(), ids=AGENTS)
def test_it_keeps_to_the_contract(make: Callable[[], Agent]) -> None:
    check_agent(make(), conversations=[talk("a wool coat under $20, not black", "red boots")])


@pytest.mark.parametrize("make", AGENTS.values(), ids=AGENTS)
def test_what_it_answers_depends_on_the_conversation_alone(make: Callable[[], Agent]) -> None:
    async def alone() -> AgentReply:
        return await make().reply(talk("red boots"), seed=3)

    async def after_another() -> AgentReply:
        agent = make()
        await agent.reply(talk("a wool coat under $20, not black"), seed=3)
        return await agent.reply(talk("red boots"), seed=3)

    assert asyncio.run(alone()) == asyncio.run(after_another())
