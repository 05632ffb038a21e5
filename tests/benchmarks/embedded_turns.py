"""Turns a second of the embedded model, alone and several at a time, and of a llama.cpp server on the same weights.

    python tests/benchmarks/embedded_turns.py [--llama-server PROGRAM] [--turns 16] [--repeats 3] [--json FILE]

A turn is an answer of at most 40 tokens to a chat of some 100. In this process requests that wait are answered
together. ``--llama-server`` names the program of llama.cpp, or one that takes its -m, --host, --port and -np: it serves
the file that the embedded model was made of on loopback, and is asked as any other server. Numbers are medians of the
repeats; where other work shares the machine, processor seconds a turn say more than turns a second. They and the
server's memory are read from /proc, and left out where there is none. Needs the extra "local". Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import NamedTuple

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


class Speed(NamedTuple):
    """What one repeat measured."""

    turns_per_s: float
    tokens_per_s: float
    processor_s: float | None
    """Of whoever has the model, a turn."""


async def speed(model: ChatModel, pid: int | str, n: int, at_a_time: int) -> Speed:
    """Measure ``n`` turns of the model in the process ``pid``, after one that loads what is loaded once."""
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
    begun, used = time.perf_counter(), processor_s(pid)
    tokens = sum(await asyncio.gather(*(turn(number) for number in range(n))))
    seconds, used_then = time.perf_counter() - begun, processor_s(pid)
    spent = None if used is None or used_then is None else (used_then - used) / n
    return Speed(n / seconds, tokens / seconds, spent)


async def measured(model: ChatModel, pid: int | str, who: str, n: int, repeats: int) -> list[Row]:
    """Measure one model at each concurrency: medians of the repeats."""
    rows = []
    for at_a_time in AT_A_TIME:
        found = [await speed(model, pid, n, at_a_time) for _ in range(repeats)]
        spent = [each.processor_s for each in found if each.processor_s is not None]
        case = f"{who}, {at_a_time} at a time"
        rows += [
            Row(case=case, measure="turns", unit="/s", value=median(each.turns_per_s for each in found)),
            Row(case=case, measure="output tokens", unit="/s", value=median(e.tokens_per_s for e in found)),
            *([Row(case=case, measure="processor a turn", unit="s", value=median(spent))] if spent else []),
        ]
    peak = peak_mb(pid)
    return [*rows, *([Row(case=who, measure="peak memory", unit="MB", value=peak)] if peak else [])]


async def of_server(url: str, pid: int, n: int, repeats: int) -> list[Row]:
    """Measure a server."""
    model = OpenAICompatible(model="embedded", base_url=url)
    async with aclosing(model):
        return await measured(model, pid, "llama.cpp server", n, repeats)


def processor_s(pid: int | str) -> float | None:
    """Return the seconds of processors that a process has used; None where nothing tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int | str) -> float | None:
    """Return the most memory that a process has had, in MB; None where nothing tells."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), None)


@contextlib.contextmanager
def llama(program: str) -> Iterator[tuple[str, int]]:
    """Serve the embedded model's own file, and give the address and the process."""
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
            yield f"http://127.0.0.1:{port}/v1", server.pid
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
    parser.add_argument("--repeats", type=int, default=3, help="of which medians are told")
    with_json(parser)
    asked = parser.parse_args()
    rows = asyncio.run(measured(Embedded(), "self", "in this process", asked.turns, asked.repeats))
    if asked.llama_server:
        with llama(asked.llama_server) as (url, pid):
            rows += beside(rows, asyncio.run(of_server(url, pid, asked.turns, asked.repeats)))
    report(rows, asked.json)


def beside(own: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    """Hold each row of the server against that of this process."""
    held = []
    for ours, row in zip(own, others, strict=False):
        is_same = ours.measure == row.measure and ours.value
        held.append(replace(row, beside=ours.case, ratio=row.value / ours.value) if is_same else row)
    return held


if __name__ == "__main__":
    main()
