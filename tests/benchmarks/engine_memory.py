"""How much memory a long study keeps: resident growth from the 1,000th conversation to the last.

    python tests/benchmarks/engine_memory.py [--n 10000]

Scripted shoppers and an agent that answers at once hold conversations of four turns, three items an answer, through
``Study.run`` into a temporary folder. Growth is that of this process's resident memory (Linux: ``/proc``). Nothing is
asserted; what a run must remember, the ids of what is done, is about 0.1 MB a thousand conversations.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from convsim.models import Scripted
from convsim.schema import AgentReply, UserMove
from convsim.schema.chat_model import ChatMessage
from convsim.schema.conversation import Conversation, Item, LearnedFrom, Usage
from convsim.schema.persona import Persona
from convsim.simulation import Progress, Study

TURNS = 4
FIRST = 1000
"""From here on growth counts: what is loaded once has been loaded."""


class Scripting:
    """A shopper that says what a scripted model answers to the last message."""

    name = "scripting"
    learned_from: LearnedFrom | None = None

    def __init__(self) -> None:
        self.model = Scripted(answers=lambda asked: "I would like the second one in navy, under 80 dollars.")

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        last = conversation.messages[-1].content if conversation.messages else persona.need
        said = await self.model.complete(
            [ChatMessage(role="user", content=last)], max_tokens=60, temperature=1.0, seed=seed
        )
        usage = Usage(input_tokens=said.input_tokens, output_tokens=said.output_tokens)
        return UserMove(action="say", text=said.text, usage=usage)


class Prompt:
    """An agent that answers at once, with items of its own each time."""

    name = "prompt"

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        items = tuple(
            Item(id=f"b{seed % 1000 + k}", title="rain boot", price=39.0, attributes={"color": "navy"})
            for k in range(3)
        )
        return AgentReply(content="These three are waterproof and in stock in your size.", items=items)


def resident_mb() -> float:
    """Return this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=10_000, help=f"conversations, more than {FIRST}")
    n = parser.parse_args().n
    resident: dict[int, float] = {}

    def look(progress: Progress) -> None:
        if progress.ended % FIRST == 0 or progress.ended == n:
            resident[progress.ended] = resident_mb()

    people = [Persona(id=f"p{k}", task="footwear", need="rain boots for a wet city") for k in range(50)]
    study = Study(
        Scripting(),
        Prompt(),
        people,
        seed=1,
        name="memory",
        n=n,
        max_turns=TURNS,
        concurrency=64,
        model="scripted",
    )
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        outcome = study.run(Path(folder) / "run", on_change=look)
        seconds = time.perf_counter() - started
        written = (outcome.folder / "conversations.jsonl").stat().st_size / 1e6
    for ended, megabytes in resident.items():
        print(f"{ended:7d} conversations: {megabytes:7.1f} MB resident")
    print(
        f"{outcome.held} of {outcome.planned} held, {outcome.failed} failed, {written:.0f} MB written, "
        f"{outcome.held / seconds:.0f} conversations/s"
    )
    print(f"growth from the {FIRST}th to the last: {resident[n] - resident[FIRST]:.1f} MB (wanted: under 50)")


if __name__ == "__main__":
    main()
