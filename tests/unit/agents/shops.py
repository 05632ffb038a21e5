"""Small shops and conversations with them, made for the tests of agents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from convsim.agents import Retrieval
from convsim.errors import ModelError
from convsim.schema import AgentReply
from convsim.schema.catalogue import Catalogue, CatalogueItem
from convsim.schema.chat_model import ChatMessage, Choice, Completion
from convsim.schema.conversation import Conversation, Item, Message


def item(
    item_id: str,
    title: str,
    *,
    price: float | None = 50.0,
    colors: Sequence[str] = ("black",),
    sizes: Sequence[str] = ("8", "9"),
    material: str = "canvas",
    category: str = "footwear",
    occasion: str = "everyday use",
    description: str = "Plain.",
) -> CatalogueItem:
    attributes = {
        "category": category,
        "colors": list(colors),
        "sizes": list(sizes),
        "material": material,
        "occasion": occasion,
    }
    return CatalogueItem.model_validate(
        {"id": item_id, "title": title, "description": description, "price": price, "attributes": attributes}
    )


def shop() -> Catalogue:
    """Six things whose every difference a test can name."""
    letters = ("S", "M", "L")
    return Catalogue.of(
        [
            item("boot-a", "Alder hiking boots", price=90.0, colors=("black", "tan"), material="suede"),
            item("boot-b", "Basin rain boots", price=40.0, colors=("red",), material="rubber", sizes=("7", "8")),
            item("boot-c", "Corrie work boots", price=50.0, colors=("brown",), material="oiled leather"),
            item("shoe-d", "Dapple canvas sneakers", price=30.0, colors=("white", "black")),
            item("coat-e", "Ember wool coat", price=150.0, category="outerwear", material="wool", sizes=letters),
            item(
                "coat-f", "Fallow rain jacket", price=60.0, category="outerwear", colors=("light blue",),
                material="vegan leather", sizes=letters, occasion="hiking",
            ),
        ]
    )  # fmt: skip


def talk(*said: str, shown: Sequence[Sequence[str]] = ()) -> Conversation:
    """Make a conversation of user messages with an answer after each but the last; ``shown`` are its items' ids."""
    messages: list[Message] = []
    for at, text in enumerate(said):
        messages.append(Message(role="user", content=text))
        if at < len(said) - 1:
            items = tuple(Item(id=item_id) for item_id in (shown[at] if at < len(shown) else ()))
            messages.append(Message(role="assistant", content="Have a look.", items=items))
    return Conversation(id="talk", messages=tuple(messages))


def ids(reply: AgentReply) -> list[str]:
    return [item.id for item in reply.items]


def answer(conversation: Conversation, *, seed: int = 1, n_items: int = 12) -> AgentReply:
    """Answer as the retrieval agent over ``shop()``."""
    return asyncio.run(Retrieval(catalogue=shop(), n_items=n_items).reply(conversation, seed=seed))


@dataclass
class Mouth:
    """A chat model that says one thing, or raises it, and remembers what it was asked."""

    says: str | ModelError
    name: str = "mouth"
    finish_reason: str = "stop"
    asked: list[ChatMessage] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)

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
        self.asked = list(messages)
        self.seeds.append(seed)
        if isinstance(self.says, ModelError):
            raise self.says
        return Completion.model_validate(
            {"text": self.says, "finish_reason": self.finish_reason, "input_tokens": 7, "output_tokens": 3,
             "seconds": 0.5, "cost_usd": 0.25}
        )  # fmt: skip

    async def continue_text(
        self, text: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str] = ()
    ) -> Completion:
        raise NotImplementedError

    async def choose(
        self, messages: Sequence[ChatMessage], options: Sequence[str], *, temperature: float, seed: int
    ) -> Choice:
        raise NotImplementedError
