"""How long ``validate`` takes: time of the processor and memory at several sizes, how they grow, and a second run.

    python -m tests.benchmarks.validate_speed [--sizes 250 5000 20000] [--json FILE]

The second run is of the same files, with what the first has kept in the cache; small sides keep nothing.

Each size runs in a process of its own on files made for it: 3.5 turns a conversation, 9 user words a message, 25 agent
words, 4 items an agent message. Nothing is asserted; machines differ, so read the ratios.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.benchmarks.rows import Row, with_json, write

VOCABULARY = 4000


def make(path: Path, n: int, *, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, VOCABULARY + 1)
    weights /= weights.sum()
    words = np.array([f"w{i}" for i in range(VOCABULARY)])
    pool = iter(words[rng.choice(VOCABULARY, size=n * 5 * 45, p=weights)])

    def text(length: int) -> str:
        return " ".join(next(pool) for _ in range(length))

    with path.open("w", encoding="utf-8") as file:
        for number in range(n):
            messages: list[dict[str, object]] = []
            for _ in range(min(1 + rng.poisson(2.5), 9)):
                items = [
                    {
                        "id": f"i{k}",
                        "title": f"w{k % 900} w{k % 700} coat",
                        "price": float(k % 200),
                        "attributes": {
                            "color": f"w{k % 50}",
                            "brand": f"b{k % 90}",
                            "material": f"m{k % 30}",
                        },
                    }
                    for k in rng.integers(0, 5000, 4).tolist()
                ]
                messages.append({"role": "user", "content": text(int(rng.integers(3, 16)))})
                messages.append(
                    {"role": "assistant", "content": text(int(rng.integers(10, 41))), "items": items}
                )
            task = ("footwear", "outerwear", "tops", "bottoms")[number % 4]
            line = {
                "id": f"{path.stem}-{number}",
                "task": task,
                "arm": "good" if number % 5 else "bad",
                "messages": messages,
            }
            file.write(json.dumps(line) + "\n")


def run(real: Path, simulated: Path) -> None:
    """Validate in this process and print seconds and peak memory as JSON."""
    started = time.perf_counter()
    import convsim

    cached: list[str] = []
    card = convsim.validate(real, simulated, seed=1, on_cached=cached.append)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    result = {
        "seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "gigabytes": used.ru_maxrss / 2**20,
        "findings": len(card.findings), "cached": bool(cached),
    }  # fmt: skip
    print(json.dumps(result))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[250, 5000, 20000])
    with_json(parser)
    parser.add_argument("--run", type=Path, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        run(*asked.run)
        return
    rows: list[dict[str, float]] = []
    print(f"{'a side':>8} {'CPU s':>8} {'GB':>6} {'grows as':>9} {'again, CPU s':>13} {'times faster':>13}")
    for n in asked.sizes:
        with tempfile.TemporaryDirectory() as folder:
            sides = [Path(folder) / f"{name}.jsonl" for name in ("real", "simulated")]
            for seed, side in enumerate(sides):
                make(side, n, seed=seed)
            call = [sys.executable, "-m", "tests.benchmarks.validate_speed", "--run", *map(str, sides)]
            settings = {**os.environ, "CONVSIM_CACHE": f"{folder}/of-user"}
            first, again = (
                json.loads(
                    subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True, env=settings).stdout
                )
                for _ in range(2)
            )
        row = {
            "a_side": n,
            **first,
            "again_cpu_seconds": again["cpu_seconds"],
            "again_cached": again["cached"],
        }
        exponent = ""
        if rows:
            grew = row["cpu_seconds"] / rows[-1]["cpu_seconds"]
            row["exponent"] = math.log(grew) / math.log(n / rows[-1]["a_side"])
            exponent = f"n^{row['exponent']:.2f}"
        rows.append(row)
        print(
            f"{n:>8} {row['cpu_seconds']:>8.1f} {row['gigabytes']:>6.2f} {exponent:>9} "
            f"{again['cpu_seconds']:>13.1f} {row['cpu_seconds'] / again['cpu_seconds']:>13.1f}",
            flush=True,
        )
    write([each for row in rows for each in as_rows(row)], asked.json)


def as_rows(row: dict[str, float]) -> Iterator[Row]:
    """Yield what one size came to."""
    case = f"{row['a_side']:.0f} a side"
    cpu, again = row["cpu_seconds"], row["again_cpu_seconds"]
    yield Row(case=case, measure="processor time", unit="s", value=cpu)
    yield Row(case=case, measure="peak memory", unit="GB", value=row["gigabytes"])
    if "exponent" in row:
        yield Row(
            case=case, measure="exponent of growth since the size before", unit="", value=row["exponent"]
        )
    yield Row(
        case=case, measure="processor time, unchanged files again", unit="s", value=again, beside="the first time",
        ratio=again / cpu,
    )  # fmt: skip


if __name__ == "__main__":
    main()
