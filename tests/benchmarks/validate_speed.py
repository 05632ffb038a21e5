"""How long ``validate`` takes: seconds and memory at several sizes, and how they grow.

    python tests/benchmarks/validate_speed.py [--sizes 250 5000 20000]

Each size runs in a process of its own on files made for it: 3.5 turns a conversation, 9 user words a message, 25 agent
words, 4 items an agent message. Nothing is asserted; machines differ, so read the ratios.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

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

    card = convsim.validate(real, simulated, seed=1)
    seconds = time.perf_counter() - started
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": seconds, "gigabytes": gigabytes, "findings": len(card.findings)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[250, 5000, 20000])
    parser.add_argument("--run", type=Path, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        run(*asked.run)
        return
    with tempfile.TemporaryDirectory() as folder:
        before = None
        for n in asked.sizes:
            sides = [Path(folder) / f"{name}.jsonl" for name in ("real", "simulated")]
            for seed, side in enumerate(sides):
                make(side, n, seed=seed)
            call = [sys.executable, __file__, "--run", *map(str, sides)]
            result = json.loads(subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True).stdout)
            grew = f", {result['seconds'] / before[1]:.2f} times the time of {before[0]}" if before else ""
            print(
                f"{n} against {n}: {result['seconds']:.1f} s, {result['gigabytes']:.2f} GB{grew}", flush=True
            )
            before = (n, result["seconds"])


if __name__ == "__main__":
    main()
