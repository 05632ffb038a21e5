"""How much memory and time the import of a large table takes.

    python -m tests.benchmarks.table_import [--megabytes 100] [--spread] [--folder FOLDER]

A file of separated values is made under ``--folder`` (by default a temporary one), imported by ``convsim data import``
in a process of its own, and taken away. ``--spread`` deals the rows of conversations over the whole file, so that all
have to be sorted on disk. Peak memory is the process's (``ru_maxrss``); nothing is asserted, wanted is less than 1 GB.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

WORDS = ("boots", "scarf", "waterproof", "navy", "cheaper", "size", "return", "wool", "linen", "trail")
AT_ONCE = 50_000
"""Conversations whose rows are dealt out together where they are spread."""


def rows(draw: random.Random, first: int, n: int) -> list[tuple[int, str]]:
    """Return the lines of some conversations, each with its turn."""
    found = []
    for number in range(first, first + n):
        for turn in range(draw.randrange(4, 14)):
            who = "customer" if turn % 2 == 0 else "bot"
            said = " ".join(draw.choices(WORDS, k=draw.randrange(2, 14 if turn % 2 == 0 else 30)))
            at = 1_767_225_600 + number * 100 + turn * 7
            found.append((turn, f"conv-{number:08d},{at},{who},{said},store-{number % 40}\n"))
    return found


def lines(size: int, *, spread: bool) -> Iterator[str]:
    """Yield the lines of a file of about ``size`` bytes."""
    draw = random.Random(1)
    yield "conversation_id,created_at,sender,message,store\n"
    made = number = 0
    while made < size:
        part = rows(draw, number, AT_ONCE)
        number += AT_ONCE
        if spread:
            part.sort(key=lambda row: row[0])
        for _, line in part:
            made += len(line)
            yield line
            if made >= size:
                return


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--spread", action="store_true", help="deal each conversation's rows over the file")
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        table = Path(folder) / "chats.csv"
        with table.open("w", encoding="utf-8") as file:
            file.writelines(lines(given.megabytes * 1_000_000, spread=given.spread))
        started = time.perf_counter()
        command = [sys.executable, "-m", "convsim", "data", "import", str(table)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            said = process.stdout.read() if process.stdout else ""
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        print("\n".join(said.splitlines()[-3:]))
        size = f"{table.stat().st_size / 1e6:.0f} MB{', spread' if given.spread else ''}"
        busy = used.ru_utime + used.ru_stime
        print(f"{size}: exit {process.returncode}, {seconds:.0f} s ({busy:.0f} s of a processor)")
        print(f"{used.ru_maxrss / 1024:.0f} MiB at most (wanted: under 1,000)")


if __name__ == "__main__":
    main()
