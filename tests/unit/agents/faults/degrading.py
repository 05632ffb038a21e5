"""Asks a degraded agent, and remembers what reached the agent inside."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from convsim._resources import shared
from convsim.agents import Retrieval, degrade
from convsim.schema import Agent, AgentReply
from convsim.schema.catalogue import Catalogue
from convsim.schema.conversation import Conversation, Fault, Item
from tests.unit.agents.shops import shop

SHOP = shop()


@cache
def demo() -> Catalogue:
    """The catalogue that convsim brings: 480 items in four categories."""
    return Catalogue.read(shared("demo/catalogue.jsonl"))


@cache
def demo_agent() -> Retrieval:
    """The retrieval agent over it."""
    return Retrieval(catalogue=demo())


@dataclass
class Listener:
    """An agent that says and shows what it was told to, and keeps what it hears."""

    content: str = "Have a look."
    items: Sequence[Item] = ()
    name: str = "listener"
    heard: list[Conversation] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        self.heard.append(conversation)
        self.seeds.append(seed)
        return AgentReply(content=self.content, items=tuple(self.items))

    @property
    def words(self) -> list[str]:
        """The user's side of what was heard last."""
        return [message.content for message in self.heard[-1].user_messages]


def ask(
    agent: Agent,
    spec: str,
    severity: float,
    conversation: Conversation,
    *,
    seed: int = 1,
    catalogue: Catalogue | None = SHOP,
) -> AgentReply:
    """Return the reply of ``agent``, degraded."""
    degraded = degrade(agent, spec, severity, catalogue=catalogue)
    return asyncio.run(degraded.reply(conversation, seed=seed))


def heard_at(spec: str, severity: float, conversation: Conversation, *, seed: int = 1) -> list[str]:
    """Return the user's messages as they reach an agent that is degraded."""
    listener = Listener()
    ask(listener, spec, severity, conversation, seed=seed)
    return listener.words


def record(reply: AgentReply) -> Fault:
    """Return the one record of a reply."""
    [fault] = reply.faults
    return fault
