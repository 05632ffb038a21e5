"""What more processes are worth: conversations a second with one, with two and so on, and with Ray's workers.

    python -m tests.benchmarks.workers_scale [--processes 1,2] [--ray] [--n 200] [--turns 4] [--json FILE]

A server in a process of its own answers each request after 50 ms; a conversation asks it up to ``--turns`` times. Each
way holds the same study, and in the end their conversations are compared. How long workers take to start stands by
itself. Next to what the clock says stands the processor time of convsim's processes for one conversation, of workers
with their start, which other work on the machine touches less. ``steady`` is that of the process that writes, between
the first and the last conversation: with workers it bounds how many conversations a second it can feed them, and over
what one process takes that holds them itself, how many busy workers that are (``feeds``). Nothing is asserted; read the
ratios.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from convsim.models import OpenAICompatible
from convsim.simulation import Progress, Study, Workers
from tests.benchmarks.rows import Row, with_json, write
from tests.doubles import people
from tests.elsewhere import Asking, Costly, kept

SERVER = Path(__file__).with_name("latency_server.py")
TURNS = 4
Way = tuple[Literal["local", "ray"], int]


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", default="1,2")
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--turns", type=int, default=TURNS)
    with_json(parser)
    asked = parser.parse_args()
    ways: list[Way] = [("local", int(each)) for each in asked.processes.split(",")]
    ways += [("ray", n) for _, n in ways] if asked.ray else []
    with subprocess.Popen(
        [sys.executable, str(SERVER), "--latency-ms", "50"], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            write([*_compare(server.stdout.readline().strip(), ways, asked.n, asked.turns)], asked.json)
        finally:
            server.terminate()


def _compare(url: str, ways: list[Way], n: int, turns: int) -> Iterator[Row]:
    print(
        "engine  processes  start s  conversations/s  ratio  CPU ms each: driver  children  steady  feeds  same"
    )
    first: float | None = None
    alone: float | None = None
    lines: list[str] = []
    for engine, processes in ways:
        with tempfile.TemporaryDirectory() as folder:
            model = OpenAICompatible(base_url=url, model="fixed")
            study = Study(Asking(model), Costly(), people(n), seed=5, n=n, concurrency=128, max_turns=turns)
            began: list[float] = []
            used: list[float] = []

            def note(progress: Progress, began: list[float] = began, used: list[float] = used) -> None:
                began.append(time.perf_counter())
                used.append(time.process_time())

            before, cpu, of_children = time.perf_counter(), time.process_time(), _children()
            study.run(
                Path(folder) / "run", workers=Workers(processes=processes, engine=engine), on_change=note
            )
            took = began[-1] - began[0]
            per_second = (len(began) - 1) / took
            first = first or per_second
            found = kept(Path(folder) / "run")
            lines = lines or found
            own, theirs = time.process_time() - cpu, _children() - of_children
            steady = 1000 * (used[-1] - used[0]) / (len(used) - 1)
            alone = alone or (steady if (engine, processes) == ("local", 1) else None)
            feeds = alone / steady if alone and (engine, processes) != ("local", 1) else None
            print(
                f"{engine:6}  {processes:9}  {began[0] - before:7.1f}  {per_second:15.1f}  {per_second / first:5.2f}"
                f"  {1000 * own / n:20.2f}  {1000 * theirs / n:8.2f}  {steady:6.2f}  "
                f"{'-' if feeds is None else f'{feeds:.1f}':>5}  {found == lines}"
            )
            if found != lines:
                raise RuntimeError(f"{processes} processes by {engine} held other conversations")
            case = f"{engine}, {processes} processes"
            beside = f"{ways[0][0]}, {ways[0][1]}"
            yield Row(
                case=case,
                measure="conversations",
                unit="/s",
                value=per_second,
                beside=beside,
                ratio=per_second / first,
            )
            yield Row(
                case=case, measure="processor time of the process that writes, a conversation", unit="ms",
                value=steady, beside=None if feeds is None else "one process's over this", ratio=feeds,
            )  # fmt: skip
            cpu_ms = 1000 * (own + theirs) / n
            yield Row(
                case=case, measure="processor time a conversation, with starts", unit="ms", value=cpu_ms
            )


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
