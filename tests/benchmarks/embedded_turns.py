"""Turns a second of the embedded model, alone and several at a time, and of a llama.cpp server on the same weights.

    python tests/benchmarks/embedded_turns.py [--llama-server PROGRAM] [--turns 16] [--json FILE]

A turn is an answer of at most 40 tokens to a chat of some 100. In this process requests that wait are answered
together. ``--llama-server`` names the program of llama.cpp: it serves the file that the embedded model was made of on
loopback, and is asked as any other server. Needs the extra "local". Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path

from convsim.models import Embedded, OpenAICompatible
from convsim.models.embedded import FILE, PACKAGE
from convsim.schema.chat_model import ChatMessage, ChatModel
from tests.benchmarks.rows import Row, report, with_json

AT_A_TIME = (1, 8)
SYSTEM = "You are a shopper who needs rain boots. Write what you say next, in one or two short sentences."
WISHES = (
    "under 80 dollars",
    "in navy",
    "with a low heel",
    "that are light",
    "for wide feet",
    "made of rubber",
)
START_S = 60.0
"""How long a server may take to load the model."""


async def turns_per_s(model: ChatModel, n: int, at_a_time: int) -> tuple[float, float]:
    """Return turns and output tokens a second, after a turn that loads what is loaded once."""
    places = asyncio.Semaphore(at_a_time)

    async def turn(number: int) -> int:
        messages = [
            ChatMessage(role="system", content=SYSTEM),
            ChatMessage(role="user", content="Hello! What are you looking for today?"),
            ChatMessage(role="assistant", content=f"I need rain boots {WISHES[number % len(WISHES)]}."),
            ChatMessage(
                role="user", content="These three are waterproof and in stock in your size. Which one is it?"
            ),
        ]
        async with places:
            said = await model.complete(messages, max_tokens=40, temperature=1.0, seed=number)
        return said.output_tokens or 0

    await turn(n)
    begun = time.perf_counter()
    tokens = sum(await asyncio.gather(*(turn(number) for number in range(n))))
    seconds = time.perf_counter() - begun
    return n / seconds, tokens / seconds


async def measured(model: ChatModel, who: str, n: int) -> list[Row]:
    """Measure one model at each concurrency."""
    rows = []
    for at_a_time in AT_A_TIME:
        turns, tokens = await turns_per_s(model, n, at_a_time)
        case = f"{who}, {at_a_time} at a time"
        rows += [
            Row(case=case, measure="turns", unit="/s", value=turns),
            Row(case=case, measure="output tokens", unit="/s", value=tokens),
        ]
    return rows


async def of_server(url: str, n: int) -> list[Row]:
    """Measure a server."""
    model = OpenAICompatible(model="embedded", base_url=url)
    async with aclosing(model):
        return await measured(model, "llama.cpp server", n)


@contextlib.contextmanager
def llama(program: str) -> Iterator[str]:
    """Serve the embedded model's own file, and give the address."""
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    weights = next(Path(spec.origin).parent.rglob(FILE))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    call = [
        program,
        "-m",
        str(weights),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "-np",
        str(max(AT_A_TIME)),
    ]
    with subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(server, f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def _wait(server: subprocess.Popen[bytes], health: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(health):
            return
        time.sleep(0.2)
    raise RuntimeError(f"the server did not begin to answer {health}")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--llama-server", metavar="PROGRAM", help="the server of llama.cpp")
    parser.add_argument("--turns", type=int, default=16, help="turns at each concurrency")
    with_json(parser)
    asked = parser.parse_args()
    rows = asyncio.run(measured(Embedded(), "in this process", asked.turns))
    if asked.llama_server:
        with llama(asked.llama_server) as url:
            rows += asyncio.run(of_server(url, asked.turns))
    report(rows, asked.json)


if __name__ == "__main__":
    main()
