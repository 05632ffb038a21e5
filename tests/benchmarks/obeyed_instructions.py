"""How often a prompted shopper does what an agent's words tell it to: ``injected_instructions``, one reply a persona.

    python tests/benchmarks/obeyed_instructions.py [--personas 24] [--severity 0.5 --severity 1]

The personas are drawn from the demo's stand-in people; each has said its need, and a scripted agent answers with three
items. For every kind of instruction the reply's seed is the first whose instruction is of that kind. Whether to accept
is the shopper's own decision; for what it says, it is made to go on. The model is the embedded one.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel

import convsim
from convsim._resources import shared
from convsim.agents import degrade
from convsim.errors import ModelError
from convsim.metrics.instructions import INJECTED, INSTRUCTIONS, OBEDIENCE, Instruction, told_to
from convsim.models import Embedded
from convsim.schema import AgentReply, ChatMessage, Columns, Completion
from convsim.schema.catalogue import Catalogue
from convsim.schema.chat_model import Choice
from convsim.schema.conversation import Conversation, Message
from convsim.schema.persona import Persona
from convsim.seeds import child_seed
from convsim.shoppers import Prompted
from convsim.simulation.personas import draw_personas
from convsim.stats.proportions import wilson_limits

SEED = 1
N_ITEMS = 3


@dataclass
class GoesOn:
    """A model that decides nothing: of every choice it takes the first option, which is to go on."""

    model: Embedded
    prompt_style: str = Embedded.prompt_style

    @property
    def name(self) -> str:
        return self.model.name

    async def complete(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str] = (),
        schema: type[BaseModel] | None = None,
    ) -> Completion:
        return await self.model.complete(
            messages, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop, schema=schema
        )

    async def continue_text(
        self, text: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str] = ()
    ) -> Completion:
        return await self.model.continue_text(
            text, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop
        )

    async def choose(
        self, messages: Sequence[ChatMessage], options: Sequence[str], *, temperature: float, seed: int
    ) -> Choice:
        return Choice(index=0, completion=Completion(text=options[0], finish_reason="stop"))


@dataclass(frozen=True)
class Shop:
    """Answers anybody with the first items of the catalogue that share a word with their need."""

    catalogue: Catalogue
    name: str = "shop"

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        wanted = set(conversation.user_messages[-1].content.lower().split())
        items = sorted(
            self.catalogue.items, key=lambda item: -len(wanted.intersection(item.title.lower().split()))
        )
        shown = tuple(item.to_shown() for item in items[:N_ITEMS])
        return AgentReply(content="Have a look at these.", items=shown)


async def answered(persona: Persona, shop: Shop, kind: Instruction, severity: float) -> Conversation:
    """Return what was said up to the shopper's second move; the reply's seed is one that draws ``kind``."""
    opened = Conversation(
        id=persona.id, persona=persona, messages=(Message(role="user", content=persona.need),)
    )
    number = 0
    while True:
        seed = child_seed(SEED, persona.id, number)
        told = await degrade(shop, INJECTED, 1.0).reply(opened, seed=seed)
        if told.faults[0].detail.startswith(told_to(kind)):
            break
        number += 1
    reply = await degrade(shop, INJECTED, severity).reply(opened, seed=seed)
    said = Message(role="assistant", content=reply.content, items=reply.items, faults=reply.faults)
    return opened.model_copy(update={"messages": (*opened.messages, said)})


async def moved(conversation: Conversation, shopper: Prompted) -> Conversation | None:
    """Let the shopper move once; None where it had no usable words."""
    persona = conversation.persona
    assert persona is not None
    try:
        move = await shopper.speak(conversation, persona, seed=child_seed(SEED, "move", persona.id))
    except ModelError:
        return None
    said = Message(role="user", content=move.text, action=move.action, accepted=move.accepted)
    return conversation.model_copy(update={"messages": (*conversation.messages, said)})


async def measured(n: int, severities: Sequence[float]) -> None:
    """Print one line a kind of instruction and severity."""
    model = Embedded()
    shop = Shop(Catalogue.read(shared("demo/catalogue.jsonl")))
    people = convsim.read(shared("demo/convapparel_standin.json")).conversations
    personas = draw_personas(people, n, seed=SEED)
    print("instruction  severity  replies  obeyed  95 % (Wilson)  failed")
    made: dict[tuple[bool, str, str], Conversation | None] = {}

    async def once(conversation: Conversation, kind: Instruction) -> Conversation | None:
        """What is said to a shopper at one severity is said at another: it moves as it did."""
        decides = kind == "accept"
        key = (decides, conversation.id, conversation.messages[-1].content)
        if key not in made:
            made[key] = await moved(conversation, Prompted(model if decides else GoesOn(model)))
        done = made[key]
        return done and done.model_copy(update={"messages": (*conversation.messages, done.messages[-1])})

    for kind in INSTRUCTIONS:
        for severity in severities:
            before = [await answered(persona, shop, kind, severity) for persona in personas]
            after = await asyncio.gather(*(once(conversation, kind) for conversation in before))
            held = [conversation for conversation in after if conversation is not None]
            [metric] = [metric for name, metric in OBEDIENCE.items() if name.startswith(kind)]
            values = np.asarray(metric.measure(Columns.of(held)))
            values = values[~np.isnan(values)]
            low, high = wilson_limits(values.mean(), len(values), 1.96)
            print(
                f"{kind:11}  {severity:8g}  {len(values):7}  {int(values.sum()):6}  "
                f"{max(low, 0):.2f} to {min(high, 1):.2f}  {len(before) - len(held):8}",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--personas", type=int, default=24)
    parser.add_argument("--severity", type=float, action="append")
    asked = parser.parse_args()
    asyncio.run(measured(asked.personas, [0.0, *(asked.severity or [0.5, 1.0])]))
