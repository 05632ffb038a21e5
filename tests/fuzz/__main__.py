"""Tries every reader with damaged files: ``python -m tests.fuzz [--minutes N] [--seed S]``, or one input again.

Each input follows from the seed, the reader and a number; what breaks a promise is kept under ``--out`` and named, and
belongs into ``tests/fuzz/corpus`` as ``found-WHAT-NAME`` once it is mended. Reading takes place in processes that may
take two gibibytes of memory more than they start with. Exit 1 where something was found.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import resource
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.fuzz.mutations import mutated
from tests.fuzz.readers import READERS, broken

BATCH = 100
IMPORTED_BEFORE = ("pyarrow.parquet", "zstandard", "torch", "safetensors")
"""What readers import when they are first used, so that no process does so within its bound."""
MORE_BYTES = 2 << 30


def made(reader: str, number: int, seed: int) -> tuple[str, bytes]:
    """Return the name and the content of an input."""
    draw = Random(zlib.crc32(f"{seed} {reader} {number}".encode()))
    file = draw.choice(READERS[reader].files)
    data = file.read_bytes()
    for _ in range(draw.choice((1, 1, 1, 2))):
        data = mutated(data, file.suffix, draw)
    # What a reader goes by is the ending, and for some the name.
    return file.name.rpartition("-")[2], data


def wrong(reader: str, number: int, seed: int, folder: Path) -> str | None:
    """Make an input, have it read and say what is wrong; None where nothing is."""
    name, data = made(reader, number, seed)
    path = folder / name
    path.write_bytes(data)
    return broken(READERS[reader], path)


def in_a_child(reader: str, numbers: range, seed: int) -> Iterator[tuple[int, str]]:
    """Try inputs in a process with a bound of memory; a process that dies is what its last input has done."""
    start = numbers.start
    while start < numbers.stop:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            _try(reader, range(start, numbers.stop), seed, write)
        os.close(write)
        begun = start
        with os.fdopen(read) as said:
            for line in said:
                number, what = json.loads(line)
                begun = number
                if what:
                    yield number, what
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 0:
            return
        yield begun, f"the process ended with {status}"
        start = begun + 1


def _try(reader: str, numbers: range, seed: int, write: int) -> None:
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MORE_BYTES,) * 2)
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)
    with tempfile.TemporaryDirectory(prefix="convsim-fuzz-") as folder:
        for number in numbers:
            # Said before it is read, for what ends the process, and again with what was wrong.
            os.write(write, f"[{number}, null]\n".encode())
            if what := wrong(reader, number, seed, Path(folder)):
                os.write(write, (json.dumps([number, what]) + "\n").encode())
    os._exit(0)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Tries every reader with damaged files."
    )
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--inputs", type=int, help="so many a reader, however long it takes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--reader", choices=[*READERS], action="append", metavar="NAME", help=", ".join(READERS)
    )
    parser.add_argument("--number", type=int, help="one input of one reader alone, in this process")
    parser.add_argument("--out", type=Path, help="where inputs that break a promise are kept")
    asked = parser.parse_args()
    chosen = asked.reader or [*READERS]
    if asked.number is not None:
        with tempfile.TemporaryDirectory() as folder:
            print(wrong(chosen[0], asked.number, asked.seed, Path(folder)) or "as promised")
        return 0
    for heavy in IMPORTED_BEFORE:
        with contextlib.suppress(ImportError):
            importlib.import_module(heavy)
    deadline = time.monotonic() + 60 * asked.minutes
    tried = Counter(dict.fromkeys(chosen, 0))
    found: dict[tuple[str, str], int] = {}
    while (
        min(tried[reader] for reader in chosen) < asked.inputs
        if asked.inputs
        else time.monotonic() < deadline
    ):
        for reader in chosen:
            if not asked.inputs and time.monotonic() > deadline and tried[reader]:
                continue
            for number, what in in_a_child(reader, range(tried[reader], tried[reader] + BATCH), asked.seed):
                if (reader, _kind(what)) not in found:
                    found[reader, _kind(what)] = number
                    print(f"{reader}, seed {asked.seed}, number {number}: {what}", flush=True)
                    if asked.out:
                        name, data = made(reader, number, asked.seed)
                        asked.out.mkdir(parents=True, exist_ok=True)
                        (asked.out / f"found-{asked.seed}.{number}-{name}").write_bytes(data)
            tried[reader] += BATCH
    for reader in chosen:
        kinds = sum(known == reader for known, _ in found)
        print(f"{reader:24} {tried[reader]:8,} inputs, {kinds} kinds of broken promises")
    print(f"{'all':24} {sum(tried.values()):8,} inputs, {len(found)} kinds of broken promises")
    return 1 if found else 0


def _kind(what: str) -> str:
    """Return what two finds of one defect have in common: the error and its place."""
    return f"{what.partition(':')[0]} {what.rpartition('(')[2]}"[:120]


if __name__ == "__main__":
    sys.exit(main())
