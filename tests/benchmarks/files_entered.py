"""How many of convsim's files a command enters, once everything is imported: what a reader of that path must open.

    python -m tests.benchmarks.files_entered

It counts files in which a function is called while the command runs, not files that are imported.
"""

from __future__ import annotations

import contextlib
import io
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from convsim._resources import shared
from convsim.cli.app import app

FOLDERS = ("convsim", "convsim_validators")


def files_entered(run: Callable[[], object]) -> set[str]:
    """Return the project's files in which ``run`` calls a function."""
    entered: set[str] = set()

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            entered.add(frame.f_code.co_filename)

    sys.setprofile(watch)
    try:
        run()
    finally:
        sys.setprofile(None)
    return {
        file for file in entered if any(f"/{folder}/" in file for folder in FOLDERS) and "/tests/" not in file
    }


def command(*words: str) -> Callable[[], None]:
    """Return a command of convsim, ready to be run in this process; its output goes nowhere."""

    def run() -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            app(list(words), standalone_mode=False)

    return run


def few(source: Path, target: Path, n: int = 40) -> Path:
    """Copy ``n`` lines of a file of conversations."""
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    target.write_text("".join(random.Random(0).sample(lines, n)), encoding="utf-8")
    return target


def main() -> None:
    """Print both counts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sides = [
            str(few(shared(f"demo/simulator_{kind}.jsonl"), folder / f"{kind}.jsonl"))
            for kind in ("close", "naive")
        ]
        validate = command(
            "validate", *sides, "--validators", "marginals", "--set", "marginals.n_resamples=9"
        )
        simulate = [
            command(
                "simulate",
                "--shopper",
                "resample",
                "--n",
                "1",
                "--max-turns",
                "2",
                "--out",
                str(folder / run),
            )
            for run in ("warm", "run")
        ]
        validate(), simulate[0]()  # imports what is imported late
        print(f"validate --validators marginals: {len(files_entered(validate))} files")
        print(f"simulate --n 1 --max-turns 2: {len(files_entered(simulate[1]))} files")


if __name__ == "__main__":
    main()
