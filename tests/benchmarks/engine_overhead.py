"""What the engine costs: its completions per second as a proportion of what bare calls of the client reach.

    python -m tests.benchmarks.engine_overhead [--quick] [--turns 8] [--json FILE]

A server in a process of its own answers each request after 50 ms. Conversations begin with a history, then the shopper
asks the model once a turn and the agent answers at once. The same bodies, made beforehand, are sent by bare
``client.post`` over aiohttp, by aiohttp alone and by ``chat.completions.create`` on the default transport, as many at a
time. All begin at once, and the engine writes its conversations down in the end, which the others do not: ``--turns``
says how many completions that is spread over. Rounds of the four take turns; each figure is a median over rounds, a
share the median of the rounds' own shares. Next to what the clock says stands the processor time of this process for
one completion, which other work on the machine touches less. Nothing is asserted; machines differ, so read the shares.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple

import aiohttp
import openai
from openai.types.chat import ChatCompletion

from convsim.models import OpenAICompatible
from convsim.schema import AgentReply, UserMove
from convsim.schema.chat_model import ChatMessage
from convsim.schema.conversation import Conversation, Item, LearnedFrom, Usage
from convsim.schema.persona import Persona
from convsim.simulation import Arm, Limits, Planned, Progress, hold_all
from tests.benchmarks.rows import Row, with_json, write

SERVER = Path(__file__).with_name("latency_server.py")
TURNS = 8
"""Completions a conversation, if nothing else is said; its history grows by two messages with each."""

SLOW_TURNS = 2
"""How many of these ``create`` is given, which takes far longer."""

SAID = "I would like something like the second one, but under 80 dollars."
ANSWERED = (
    "These three are waterproof, under 80 dollars and in stock in your size; the first is the lightest."
)
ITEMS = tuple(
    Item(id=f"b{k}", title="rain boot", price=39.0 + k, attributes={"color": "navy"}) for k in range(3)
)
SYSTEM = "You are a shopper who needs rain boots. Write what you say next, in one or two short sentences."
HEAD = (
    "at a time  history  engine/s    post/s aiohttp/s  create/s  engine:post engine:aio  engine:create   "
    "CPU ms: engine     post  aiohttp   create  post:engine"
)
SETTINGS = {"max_tokens": 60, "temperature": 1.0}

Body = dict[str, Any]
Round = Callable[[], Awaitable["Took"]]


class Took(NamedTuple):
    """What a round came to."""

    per_second: float
    cpu_ms: float


class Clock:
    """Times a round by the clock and by the processor."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def took(self, completions: int) -> Took:
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        return Took(completions / wall, 1000 * cpu / completions)


class Asking:
    """A shopper that says its history without a model, waits for the others, and then asks once a turn."""

    name = "asking"
    learned_from: LearnedFrom | None = None

    def __init__(self, model: OpenAICompatible, history: int, start: asyncio.Barrier):
        self.model, self.history, self.start = model, history, start
        self.clock: Clock | None = None

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        spoken = len(conversation.messages)
        if spoken < self.history:
            return UserMove(action="say", text=SAID)
        if spoken == self.history:
            await self.start.wait()
            self.clock = self.clock or Clock()
        prompt = [ChatMessage(role="system", content=SYSTEM)]
        for message in conversation.messages:
            role: Literal["user", "assistant"] = "user" if message.role == "assistant" else "assistant"
            prompt.append(ChatMessage(role=role, content=message.content))
        said = await self.model.complete(prompt, seed=seed, max_tokens=60, temperature=1.0)
        usage = Usage(input_tokens=said.input_tokens, output_tokens=said.output_tokens, seconds=said.seconds)
        return UserMove(action="say", text=said.text, usage=usage)


class Prompt:
    """An agent that answers at once."""

    name = "prompt"

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        return AgentReply(content=ANSWERED, items=ITEMS)


def engine(model: OpenAICompatible, concurrency: int, history: int, turns: int) -> Round:
    """Hold as many conversations as are held at a time, from when each has its history."""

    async def hold() -> Took:
        shopper = Asking(model, history, asyncio.Barrier(concurrency))
        arm = Arm("good", Prompt())
        planned = (
            Planned(
                study="overhead", shopper=shopper, model="fixed", arm=arm, repeat=0, seed=1,
                persona=Persona(id=f"p{k}", task="footwear", need="rain boots"),
            )
            for k in range(concurrency)
        )  # fmt: skip
        limits = Limits(max_turns=history // 2 + turns, concurrency=concurrency)
        progress = Progress()
        lines: list[str] = []
        await hold_all(planned, limits=limits, keep=lambda c, _: lines.append(c.to_json()), progress=progress)
        assert shopper.clock is not None
        took = shopper.clock.took(concurrency * turns)
        if progress.failed or progress.ended != concurrency:
            raise RuntimeError(f"{progress.failed} of {concurrency} conversations failed: {lines[0][-300:]}")
        return took

    return hold


def bodies(history: int, turns: int) -> list[Body]:
    """Return what one conversation sends in its first ``turns`` turns."""
    said = [
        {"role": "user", "content": ANSWERED} if k % 2 else {"role": "assistant", "content": SAID}
        for k in range(history + 2 * turns)
    ]
    system = {"role": "system", "content": SYSTEM}
    return [
        {"model": "fixed", **SETTINGS, "seed": 1, "messages": [system, *said[: history + 2 * turn]]}
        for turn in range(turns)
    ]


def bare(ask: Callable[[Body], Awaitable[object]], concurrency: int, history: int, turns: int) -> Round:
    """Send the bodies of as many conversations, and nothing else."""
    sent = [bodies(history, turns) for _ in range(concurrency)]

    async def converse(own: Sequence[Body]) -> None:
        for body in own:
            await ask(body)

    async def send() -> Took:
        clock = Clock()
        await asyncio.gather(*(converse(own) for own in sent))
        return clock.took(concurrency * turns)

    return send


async def measure(
    url: str, cells: Sequence[tuple[int, int]], rounds: dict[int, int], turns: int
) -> list[Row]:
    """Print one row of the table for each cell: how many at a time, and how long a history."""
    rows: list[Row] = []
    posting = openai.AsyncOpenAI(api_key="none", base_url=url, http_client=openai.DefaultAioHttpClient())
    creating = openai.AsyncOpenAI(api_key="none", base_url=url)
    raw = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    def post(body: Body) -> Awaitable[object]:
        return posting.post("/chat/completions", cast_to=ChatCompletion, body=body)

    async def send(body: Body) -> None:
        async with raw.post(f"{url}/chat/completions", json=body) as response:
            await response.json()

    def create(body: Body) -> Awaitable[object]:
        return creating.chat.completions.create(**body)

    print(HEAD, flush=True)
    async with posting, creating, raw:
        for concurrency, history in cells:
            model = OpenAICompatible(model="fixed", base_url=url, max_connections=concurrency)
            async with aclosing(model):
                ours = engine(model, concurrency, history, turns)
                posted = bare(post, concurrency, history, turns)
                sent = bare(send, concurrency, history, turns)
                created = bare(create, concurrency, history, SLOW_TURNS)
                took = await interleaved(ours, posted, sent, created, rounds[concurrency])
            print(row(concurrency, history, *took), flush=True)
            rows += as_rows(concurrency, history, *took)
    return rows


def as_rows(concurrency: int, history: int, *took: Sequence[Took]) -> Iterator[Row]:
    """Yield what one cell came to: the engine, the bare client, and raw aiohttp beside it."""
    case = f"{concurrency} at a time, histories of {history}"
    names = ("the engine", "client.post", "aiohttp", "chat.completions.create")
    every = (1, 1, 1, 3)
    for name, side, step in zip(names, took, every, strict=True):
        for measure, unit, of in (("requests", "/s", 0), ("processor time a request", "ms", 1)):
            ratio = median(one[of] / other[of] for one, other in zip(took[0][::step], side, strict=True))
            value, is_ours = median(one[of] for one in side), name == names[0]
            yield Row(
                case=f"{name}, {case}", measure=measure, unit=unit, value=value,
                beside=None if is_ours else "the engine's over this", ratio=None if is_ours else ratio,
            )  # fmt: skip


async def interleaved(
    ours: Round, posted: Round, sent: Round, created: Round, rounds: int
) -> tuple[list[Took], ...]:
    """Hold rounds in turn; ``created``, which is slow, has every third, and what comes first opens connections."""
    for one in (ours, posted, sent, created):
        await one()
    took: tuple[list[Took], ...] = ([], [], [], [])
    for number in range(rounds):
        took[0].append(await ours())
        took[1].append(await posted())
        took[2].append(await sent())
        if number % 3 == 0:
            took[3].append(await created())
    return took


def row(concurrency: int, history: int, *took: Sequence[Took]) -> str:
    """Write the row of one cell."""
    ours, posted, sent, created = took
    rates = [median(one.per_second for one in side) for side in took]
    cpu = [median(one.cpu_ms for one in side) for side in took]
    to_post = median(one.per_second / other.per_second for one, other in zip(ours, posted, strict=True))
    to_raw = median(one.per_second / other.per_second for one, other in zip(ours, sent, strict=True))
    to_create = median(
        one.per_second / other.per_second for one, other in zip(ours[::3], created, strict=True)
    )
    return (
        f"{concurrency:9d} {history:8d} "
        + " ".join(f"{rate:9.0f}" for rate in rates)
        + f" {to_post:12.2f} {to_raw:11.2f} {to_create:14.1f}    "
        + " ".join(f"{one:8.2f}" for one in cpu)
        + f" {cpu[1] / cpu[0]:9.2f}"
    )


@contextmanager
def served(latency_ms: float) -> Iterator[str]:
    """Run the server and give its address."""
    call = [sys.executable, str(SERVER), "--latency-ms", str(latency_ms)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one history a concurrency, and few rounds")
    parser.add_argument("--turns", type=int, default=TURNS, help="completions a conversation")
    with_json(parser)
    asked = parser.parse_args()
    quick = asked.quick
    cells = [(8, 2), (64, 10), (256, 40)] if quick else [(c, h) for c in (8, 64, 256) for h in (2, 10, 40)]
    rounds = {8: 5, 64: 3, 256: 1} if quick else {8: 7, 64: 5, 256: 3}
    with served(50.0) as url:
        write(asyncio.run(measure(url, cells, rounds, asked.turns)), asked.json)


if __name__ == "__main__":
    main()
