"""Conversations a second where the model costs nothing, and beside DeepEval's loop where it answers after 50 ms.

    python tests/benchmarks/scripted_loops.py [--deepeval PYTHON] [--quick] [--json FILE]

Without a server, a scripted shopper and an agent that answers at once hold conversations of four turns into a run
folder. With one, the prompted shopper asks it for what to say, and from the second turn on for what to do before that.
``--deepeval`` names an interpreter that has deepeval: its loop asks the same server once a turn and keeps nothing on
disk, so that requests a second and processor time a request are what can be compared. The two take turns; figures are
medians. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from convsim.models import OpenAICompatible
from convsim.schema.persona import Persona
from convsim.shoppers import Prompted
from convsim.simulation import Study
from tests.benchmarks.engine_memory import Prompt, Scripting
from tests.benchmarks.engine_overhead import ANSWERED, served
from tests.benchmarks.rows import Row, report, with_json

PEER = Path(__file__).with_name("deepeval_loop.py")
TURNS = 6
EACH = 4
"""Conversations a round for each that is held at a time."""
TOKENS = 100
"""Input tokens that the server counts for a request."""


class Took(NamedTuple):
    """What a round came to."""

    conversations_per_s: float
    requests_per_s: float
    cpu_ms: float
    """Of processor time for a request."""


def personas(n: int) -> list[Persona]:
    """Return people who want the same."""
    return [Persona(id=f"p{k}", task="footwear", need="rain boots for a wet city") for k in range(n)]


def alone(n: int) -> Iterator[Row]:
    """Hold ``n`` conversations without any server."""
    study = Study(
        Scripting(),
        Prompt(),
        personas(50),
        seed=1,
        name="alone",
        n=n,
        max_turns=4,
        concurrency=64,
        model="scripted",
    )
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        outcome = study.run(Path(folder) / "run")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    _check(outcome.held, outcome.failed, n)
    case = f"scripted model, {n} conversations of 4 turns, 64 at a time"
    yield Row(case=case, measure="conversations", unit="/s", value=n / wall)
    yield Row(case=case, measure="processor time a conversation", unit="ms", value=1000 * cpu / n)


def ours(url: str, at_a_time: int) -> Took:
    """Hold a round of conversations by convsim."""
    n = EACH * at_a_time
    study = Study(
        Prompted(model=OpenAICompatible(model="fixed", base_url=url)),
        _answer,
        personas(n),
        seed=1,
        name="loop",
        n=n,
        max_turns=TURNS,
        concurrency=at_a_time,
        model="fixed",
    )
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        outcome = study.run(Path(folder) / "run")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        lines = (outcome.folder / "conversations.jsonl").read_text(encoding="utf-8").splitlines()
    _check(outcome.held, outcome.failed, n)
    requests = sum(json.loads(line)["usage"]["input_tokens"] for line in lines) / TOKENS
    return Took(n / wall, requests / wall, 1000 * cpu / requests)


def theirs(python: str, url: str, at_a_time: int) -> Took:
    """Hold a round of conversations by DeepEval."""
    n = EACH * at_a_time
    asked = [python, str(PEER), url, str(n), str(TURNS), str(at_a_time)]
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(asked, cwd=folder, check=True, capture_output=True, text=True)
    found = next(json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{"))
    _check(found["messages"] // (2 * TURNS), 0, n)
    requests = found["requests"]
    return Took(n / found["seconds"], requests / found["seconds"], 1000 * found["cpu_seconds"] / requests)


def beside(python: str | None, url: str, at_a_time: int, rounds: int) -> Iterator[Row]:
    """Let both take turns, and compare."""
    took: tuple[list[Took], list[Took]] = ([], [])
    ours(url, at_a_time)  # loads what is loaded once
    for _ in range(rounds):
        took[0].append(ours(url, at_a_time))
        if python is not None:
            took[1].append(theirs(python, url, at_a_time))
    case = f"{at_a_time} at a time, {TURNS} turns, 50 ms a request"
    measures = {"conversations_per_s": "/s", "requests_per_s": "/s", "cpu_ms": "ms"}
    named = {"cpu_ms": "processor time a request"}
    for place, (measure, unit) in enumerate(measures.items()):
        values = [median(each[place] for each in side) if side else None for side in took]
        mine, other = values
        assert mine is not None
        name = named.get(measure, measure.removesuffix("_per_s"))
        yield Row(
            case=f"convsim, {case}",
            measure=name,
            unit=unit,
            value=mine,
            beside=None if other is None else "DeepEval's loop",
            ratio=None if other is None else mine / other,
        )
        if other is not None:
            yield Row(case=f"DeepEval, {case}", measure=name, unit=unit, value=other)


def _answer(conversation: object) -> str:
    return ANSWERED


def _check(held: int, failed: int, n: int) -> None:
    if failed or held != n:
        raise RuntimeError(f"{held} of {n} conversations were held, and {failed} failed")


def measured(python: str | None, *, quick: bool) -> Iterator[Row]:
    """Measure everything."""
    yield from alone(500 if quick else 3000)
    with served(50.0) as url:
        for at_a_time in (8,) if quick else (8, 64):
            yield from beside(python, url, at_a_time, 1 if quick else 3)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--deepeval", metavar="PYTHON", help="an interpreter that has deepeval")
    parser.add_argument("--quick", action="store_true", help="one round, eight at a time")
    with_json(parser)
    asked = parser.parse_args()
    report(measured(asked.deepeval, quick=asked.quick), asked.json)


if __name__ == "__main__":
    main()
