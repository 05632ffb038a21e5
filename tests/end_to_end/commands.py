"""``convsim`` commands as a user types them, each in a process forked from one that has imported already.

A fork ends as an interpreter does, with the exit status, stdout and stderr of ``python -m convsim`` in the same folder
and environment, and costs no second of imports. What an interpreter of its own decides (its entry point, what it
imports, signals, a terminal) is tried with ``interpreter``.
"""

import atexit
import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

REPOSITORY = Path(__file__).parents[2]
UNHURRIED = {"_CONVSIM_PROGRESS": "3600,3600"}
"""A slow machine changes nothing of what a command says: no progress is shown, unless a test asks for it."""


@dataclass(frozen=True)
class Started:
    """A command that runs."""

    pid: int
    server: "Forks"

    def ended(self) -> subprocess.CompletedProcess[str]:
        """Wait for its end; no other command can be started before."""
        return self.server.ended()

    def said(self) -> str:
        """Return what it has written to stderr so far."""
        return self.server.said()


class Forks:
    """Gives commands to ``forks.py``, one at a time."""

    def __init__(self, *preload: str):
        self._folder = Path(tempfile.mkdtemp(prefix="convsim-forks-"))
        self._process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "tests/end_to_end/forks.py"), *preload],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        self._asked: list[str] = []

    def start(
        self, *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Started:
        """Start a command, in this process's folder and environment where nothing else is said."""
        self._asked = [*map(str, arguments)]
        asked = {
            "arguments": self._asked,
            "cwd": str(cwd or Path.cwd()),
            "environment": {**UNHURRIED, **(os.environ if env is None else env)},
            "out": str(self._folder / "stdout"),
            "err": str(self._folder / "stderr"),
        }
        stdin: IO[str] = self._process.stdin  # type: ignore[assignment]
        stdin.write(json.dumps(asked) + "\n")
        stdin.flush()
        return Started(self._number(), self)

    def __call__(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return self.start(*arguments).ended()

    def ended(self) -> subprocess.CompletedProcess[str]:
        status = self._number()
        out, err = ((self._folder / name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(self._asked, status, out, err)

    def said(self) -> str:
        return (self._folder / "stderr").read_text(encoding="utf-8")

    def close(self) -> None:
        self._process.terminate()
        with contextlib.suppress(BrokenPipeError), self._process:
            pass
        shutil.rmtree(self._folder)

    def _number(self) -> int:
        stdout: IO[str] = self._process.stdout  # type: ignore[assignment]
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"forks.py has ended with {self._process.wait()}; its stderr is above")
        return int(line)


@functools.cache
def forks(*preload: str) -> Forks:
    """Return this process's forking process, started when it is first asked for; ``models`` for torch and its kin."""
    started = Forks(*preload)
    atexit.register(started.close)
    return started


def typed(
    *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``convsim`` with these arguments to its end."""
    return forks().start(*arguments, cwd=cwd, env=env).ended()


def interpreter(
    *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m convsim`` in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-m", "convsim", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=cwd, env=env or environment(), timeout=120,
    )  # fmt: skip


def environment() -> dict[str, str]:
    """Return an environment that finds the repository's code, in which torch takes one core and waits asleep."""
    path = os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "validators")))
    return {
        **UNHURRIED,
        **os.environ,
        "PYTHONPATH": path,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
