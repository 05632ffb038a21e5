"""Two stand-in simulators as convsim JSONL: one near the stand-in people, one naive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convsim.schema.catalogue import CatalogueItem
from convsim.schema.conversation import Conversation, Item, Message
from tests.demo_data.stock import Stock
from tests.demo_data.talk import Exchange, Talk, hold_talks

SIMULATED = 300


def simulator_lines(name: str, stock: Sequence[Stock], *, seed: int) -> str:
    """Return the conversations of the stand-in simulator ``name``, one a line."""
    talks = hold_talks(name, SIMULATED, stock, seed=seed)
    return "".join(
        f"{_conversation(name, number, talk).to_json()}\n" for number, talk in enumerate(talks, start=1)
    )


def _conversation(name: str, number: int, talk: Talk) -> Conversation:
    return Conversation(
        id=f"demo-{name}-{number:03d}",
        task=talk.task,
        agent=f"stand-in:{talk.arm}",
        arm=talk.arm,
        shopper=f"stand-in:{name}",
        simulator=f"stand-in:{name}",
        source="convsim-demo",
        messages=tuple(message for exchange in talk.exchanges for message in _messages(exchange)),
        ending=talk.ending,
    )


def _messages(exchange: Exchange) -> Iterator[Message]:
    move, reply = exchange.move, exchange.reply
    accepted = (move.about.item.id,) if move.action == "accept" and move.about else ()
    yield Message(role="user", content=move.text, action=move.action, accepted=accepted)
    yield Message(
        role="assistant", content=reply.text, items=tuple(_titled(stock.item) for stock in reply.items)
    )


def _titled(item: CatalogueItem) -> Item:
    """Show an item without attributes, as the stand-in people's archive does: uptake then counts the same words."""
    return Item(id=item.id, title=item.title, price=item.price)
