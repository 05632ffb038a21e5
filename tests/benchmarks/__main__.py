"""Runs benchmarks, each in a process of its own: one table, one JSON file, and the peak memory of each.

    python -m tests.benchmarks [NAME …] [--quick] [--json FILE] [--deepeval PYTHON] [--hyppo PYTHON]
        [--llama-server PROGRAM]

Peers are measured where an interpreter, or a program, is named that has them; they are not installed from here. A
benchmark that fails is said, and does not keep the others from running; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.rows import Row, read, table

QUICK: dict[str, list[str]] = {
    "engine_overhead": ["--quick"],
    "scripted_loops": ["--quick"],
    "workers_scale": ["--n", "60"],
    "validate_speed": ["--sizes", "250", "1000"],
    "kernels": ["--n", "300"],
    "compressed_shoppers": ["--quick"],
    "embedded_turns": ["--turns", "4", "--repeats", "1"],
    "state_space": ["--quick"],
}
"""Every benchmark that gives rows, and what makes it quick."""
PEERS = {"scripted_loops": "deepeval", "kernels": "hyppo", "embedded_turns": "llama_server"}
"""Which of them take a peer."""


def run(name: str, arguments: Sequence[str]) -> list[Row] | None:
    """Run one benchmark, and return its rows and its peak memory; None where it failed."""
    print(f"\n{name} {' '.join(arguments)}".rstrip(), flush=True)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "rows.json"
        call = [sys.executable, "-m", f"tests.benchmarks.{name}", *arguments, "--json", str(kept)]
        process = subprocess.Popen(call)
        # Its own children that it has waited for are not in it.
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode or not kept.exists():
            print(f"{name} failed with exit code {process.returncode}", flush=True)
            return None
        rows = read(kept)
    seconds = time.perf_counter() - begun
    return [
        *rows,
        Row(case="the benchmark itself", measure="peak memory", unit="MB", value=used.ru_maxrss / 1024),
        Row(case="the benchmark itself", measure="time", unit="s", value=seconds),
    ]


def main() -> None:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(QUICK)}; all by default")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all rows there, too")
    for of in PEERS.values():
        parser.add_argument(f"--{of.replace('_', '-')}", metavar="PROGRAM", help="measured beside ours")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in QUICK]:
        parser.error(f"no benchmark is called {unknown[0]}; there are {', '.join(QUICK)}")
    found: dict[str, list[Row]] = {}
    failed = []
    for name in asked.names or QUICK:
        peer = PEERS.get(name)
        program = getattr(asked, peer) if peer else None
        beside = [f"--{peer.replace('_', '-')}", program] if peer and program else []
        rows = run(name, [*(QUICK[name] if asked.quick else []), *beside])
        if rows is None:
            failed.append(name)
        else:
            found[name] = rows
    print("\n" + "\n\n".join(f"{name}\n{table(rows)}" for name, rows in found.items()))
    if asked.json is not None:
        kept = {name: [asdict(row) for row in rows] for name, rows in found.items()}
        asked.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
