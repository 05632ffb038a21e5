"""Every fault on every type of agent: built in, a function, a program, an endpoint on loopback."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

import convsim.agents
from convsim.agents import (
    HTTP,
    LLM,
    Command,
    Degraded,
    LangChain,
    OpenAIChat,
    PythonAgent,
    Retrieval,
    degrade,
)
from convsim.agents.faults import FAULTS, PRESETS
from convsim.models import OpenAICompatible
from convsim.schema import Agent, AgentReply
from convsim.schema.conversation import Conversation, Item, Message
from tests.unit.agents.shops import Mouth, shop, talk
from tests.unit.models.loopback import Request, answering, chat, whole

SHOP = shop()
FOREIGN = Item(id="b1", title="Somebody's boots", price=39.0)
PROGRAM = (
    "import json,sys\nfor line in sys.stdin:\n"
    " said=[m['content'] for m in json.loads(line)['messages'] if m['role']=='user']\n"
    " print(json.dumps({'content':'I heard: '+' | '.join(said),'items':[{'id':'boot-a',"
    "'title':'Alder hiking boots','price':90.0}]}), flush=True)"
)


class Parrot:
    def invoke(self, messages: list[dict[str, str]]) -> str:
        return "I heard: " + " | ".join(m["content"] for m in messages if m["role"] == "user")


def shown(conversation: Conversation) -> AgentReply:
    """Say what was heard, and show two coats."""
    said = " | ".join(message.content for message in conversation.user_messages)
    return AgentReply(content=f"I heard: {said}", items=tuple(item.to_shown() for item in SHOP.items[4:]))


def heard_by(request: Request) -> str:
    said = [message["content"] for message in request.body["messages"] if message["role"] == "user"]
    return "I heard: " + " | ".join(said)


@asynccontextmanager
async def at_once(agent: Agent) -> AsyncIterator[Agent]:
    yield agent


@asynccontextmanager
async def behind_http() -> AsyncIterator[Agent]:
    """An endpoint with a shop of its own."""
    items = [FOREIGN.model_dump(mode="json", exclude_defaults=True)]
    async with answering(
        lambda request: whole(200, json.dumps({"content": heard_by(request), "items": items}).encode())
    ) as server:
        yield HTTP(url=server.base_url)


@asynccontextmanager
async def behind_openai() -> AsyncIterator[Agent]:
    async with answering(lambda request: chat(heard_by(request))) as server:
        yield OpenAIChat(model=OpenAICompatible(model="m", base_url=server.base_url))


AGENTS: dict[str, Callable[[], AbstractAsyncContextManager[Agent]]] = {
    "retrieval": lambda: at_once(Retrieval(catalogue=SHOP)),
    "llm": lambda: at_once(LLM(model=Mouth("Take the Corrie work boots [1]."), catalogue=SHOP)),
    "python": lambda: at_once(PythonAgent(target=lambda conversation, *, seed: shown(conversation))),
    "openai_chat": behind_openai,
    "langchain": lambda: at_once(LangChain(runnable=Parrot())),
    "command": lambda: at_once(Command(command=[sys.executable, "-S", "-c", PROGRAM])),
    "http": behind_http,
}
WITHOUT_ITEMS = {"openai_chat", "langchain"}
ITEM_FAULTS = {"repeated_items", "irrelevant_items", "empty_carousel"}
HEARD_FAULTS = {"partial_query", "wrong_category", "ignored_constraint", "stale_context"}
ECHOING = {"python", "openai_chat", "langchain", "command", "http"}

SAID = talk("I want red boots under $80", "something else, in size 9 please")
LAST = Message(role="assistant", content="The Basin.", items=(SHOP.item("boot-b").to_shown(),))
CONVERSATION = SAID.but(messages=(SAID.messages[0], LAST, SAID.messages[2]))


def test_every_type_of_agent_is_degraded() -> None:
    types = {
        part for name in convsim.agents.__all__ if isinstance(part := getattr(convsim.agents, name), type)
    }
    assert types - {Degraded} == {Retrieval, LLM, PythonAgent, OpenAIChat, LangChain, Command, HTTP}
    assert len(AGENTS) == len(types) - 1


def can_act(fault: str, kind: str) -> bool:
    if fault in ITEM_FAULTS and kind in WITHOUT_ITEMS:
        return False
    return not (fault == "irrelevant_items" and kind == "http")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", AGENTS)
async def test_at_severity_one_it_acts_where_it_can_and_says_why_where_not(kind: str, fault: str) -> None:
    before = CONVERSATION.to_json()
    async with AGENTS[kind]() as agent:
        bare = await agent.reply(CONVERSATION, seed=5)
        degraded = degrade(agent, fault, 1.0, catalogue=SHOP)
        reply = await degraded.reply(CONVERSATION, seed=5)
        again = await degraded.reply(CONVERSATION, seed=5)
    [record] = reply.faults
    assert (record.name, record.severity) == (fault, 1.0)
    assert record.acted is can_act(fault, kind)
    assert record.detail
    if not record.acted:
        assert reply.but(faults=()).model_dump(exclude={"usage"}) == bare.model_dump(exclude={"usage"})
    assert reply.model_dump(exclude={"usage"}) == again.model_dump(exclude={"usage"})
    assert {item.id for item in reply.items} <= {*(item.id for item in SHOP.items), FOREIGN.id}
    assert reply.content.strip() or reply.items
    assert CONVERSATION.to_json() == before


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - HEARD_FAULTS))
@pytest.mark.parametrize("kind", AGENTS)
async def test_a_fault_of_the_answer_changes_text_or_items(kind: str, fault: str) -> None:
    async with AGENTS[kind]() as agent:
        bare = await agent.reply(CONVERSATION, seed=5)
        reply = await degrade(agent, fault, 1.0, catalogue=SHOP).reply(CONVERSATION, seed=5)
    assert ((reply.content, reply.items) != (bare.content, bare.items)) is can_act(fault, kind)


@pytest.mark.parametrize("fault", sorted(HEARD_FAULTS))
@pytest.mark.parametrize("kind", sorted(ECHOING))
async def test_a_fault_of_what_is_heard_reaches_agents_on_the_other_side_of_a_socket_or_pipe(
    kind: str, fault: str
) -> None:
    async with AGENTS[kind]() as agent:
        bare = await agent.reply(CONVERSATION, seed=5)
        reply = await degrade(agent, fault, 1.0, catalogue=SHOP).reply(CONVERSATION, seed=5)
    assert bare.content == "I heard: I want red boots under $80 | something else, in size 9 please"
    lost = {
        "ignored_constraint": "under $80",
        "wrong_category": "boots",
        "stale_context": "I want",
        "partial_query": " ",
    }
    assert lost[fault] not in reply.content.removeprefix("I heard: ").replace(" | ", "|")


@pytest.mark.parametrize("spec", [*PRESETS, "+".join(FAULTS)])
@pytest.mark.parametrize("kind", AGENTS)
async def test_at_severity_zero_it_is_the_agent(kind: str, spec: str) -> None:
    async with AGENTS[kind]() as agent:
        bare = await agent.reply(CONVERSATION, seed=5)
        reply = await degrade(agent, spec, 0.0, catalogue=SHOP).reply(CONVERSATION, seed=5)
    assert reply.model_dump(exclude={"usage"}) == bare.model_dump(exclude={"usage"})
    assert reply.faults == ()
