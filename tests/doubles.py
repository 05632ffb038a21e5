"""Shoppers and agents that do as they are told, for tests of what holds them together."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from convsim.schema import AgentReply, UserMove
from convsim.schema.conversation import Conversation, Item, LearnedFrom, Usage
from convsim.schema.persona import Persona

ITEM = Item(id="b1", title="rain boot", price=39.0)


def say(text: str = "boots please") -> UserMove:
    return UserMove(action="say", text=text)


@dataclass
class Told:
    """A shopper that makes the moves of a function of the turn."""

    moves: Callable[[int], UserMove]
    name: str = "told"
    learned_from: LearnedFrom | None = None
    seeds: list[int] = field(default_factory=list)

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        await asyncio.sleep(0)
        self.seeds.append(seed)
        return self.moves(sum(1 for _ in conversation.turns()))


@dataclass
class Obliging:
    """An agent that shows one item, after ``seconds``."""

    name: str = "obliging"
    seconds: float = 0.0
    reply_with: Callable[[], AgentReply] = lambda: AgentReply(
        content="this one?", items=(ITEM,), usage=Usage(input_tokens=3, output_tokens=2, cost_usd=0.01)
    )

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        await asyncio.sleep(self.seconds)
        return self.reply_with()


def people(n: int) -> list[Persona]:
    return [Persona(id=f"p{i}", task="footwear", need="rain boots") for i in range(n)]
