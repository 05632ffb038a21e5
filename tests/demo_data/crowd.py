"""Draws stand-in people in any number, with endings: ``python -m tests.demo_data.crowd N --out FILE``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from convsim.schema.conversation import Conversation, Item, Message
from tests.demo_data.stock import make_stock
from tests.demo_data.talk import Exchange, Talk, hold_talks

STOCK_SEED = 0


def crowd(n: int, *, seed: int) -> list[Conversation]:
    """Return ``n`` conversations of stand-in people, one a person; another seed draws other people."""
    talks = hold_talks("people", n, make_stock(STOCK_SEED), seed=seed)
    return [_conversation(talk, f"crowd-{seed}-{number:04d}") for number, talk in enumerate(talks, start=1)]


def _conversation(talk: Talk, name: str) -> Conversation:
    return Conversation(
        id=name,
        task=talk.task,
        agent=f"{talk.arm}-agent",
        arm=talk.arm,
        user=name,
        source="convsim-demo",
        messages=tuple(message for exchange in talk.exchanges for message in _messages(exchange)),
        ending=talk.ending,
    )


def _messages(exchange: Exchange) -> tuple[Message, Message]:
    move, reply = exchange.move, exchange.reply
    accepted = (move.about.item.id,) if move.action == "accept" and move.about else ()
    items = tuple(Item(id=s.item.id, title=s.item.title, price=s.item.price) for s in reply.items)
    return (
        Message(role="user", content=move.text, action=move.action, accepted=accepted),
        Message(role="assistant", content=reply.text, items=items),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo_data.crowd", description="Draws stand-in people."
    )
    parser.add_argument("n", type=int, help="how many")
    parser.add_argument("--out", type=Path, required=True, help="the JSONL file to write")
    parser.add_argument("--seed", type=int, default=0, help="the seed of every draw (default: %(default)s)")
    asked = parser.parse_args(arguments)
    people = crowd(asked.n, seed=asked.seed)
    asked.out.write_text("".join(f"{c.to_json()}\n" for c in people), encoding="utf-8", newline="\n")
    print(f"{asked.out}: wrote {len(people)} stand-in people with seed {asked.seed}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
