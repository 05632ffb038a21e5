"""``convsim train`` as a user types it, on logs and models of a few kilobytes."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

REPOSITORY = Path(__file__).parents[2]
SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """A command that is over."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Started:
    """A command that runs."""

    pid: int
    server: "Forks"

    def ended(self) -> Ended:
        return self.server.ended()


class Forks:
    """Gives commands to ``forks.py``, one at a time."""

    def __init__(self, process: subprocess.Popen[str], folder: Path):
        self._process, self._folder = process, folder

    def start(self, *arguments: object) -> Started:
        said = [str(self._folder / name) for name in ("stdout", "stderr")]
        stdin: IO[str] = self._process.stdin  # type: ignore[assignment]
        stdin.write(json.dumps([[*map(str, arguments)], *said]) + "\n")
        stdin.flush()
        return Started(self._number(), self)

    def ended(self) -> Ended:
        status = self._number()
        return Ended(status, *((self._folder / name).read_text() for name in ("stdout", "stderr")))

    def __call__(self, *arguments: object) -> Ended:
        """Run a command to its end."""
        return self.start(*arguments).ended()

    def _number(self) -> int:
        stdout: IO[str] = self._process.stdout  # type: ignore[assignment]
        return int(stdout.readline())


@contextmanager
def forks(folder: Path) -> Iterator[Forks]:
    """Start ``forks.py``; what its commands print lies in ``folder`` meanwhile."""
    process = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "tests/end_to_end/forks.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    with process:
        yield Forks(process, folder)


def environment() -> dict[str, str]:
    """Return an environment in which torch takes one core and waits asleep."""
    path = os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "validators")))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def conversation(number: int, *, arm: str = "good", user: str | None = None, **more: object) -> str:
    """One line of a log: two short messages of a person's, and an end."""
    shown = [{"id": f"b{number}", "title": f"boot {number}"}]
    messages = [
        {"role": "user", "content": f"boots {number}"},
        {"role": "assistant", "content": "this?", "items": shown},
        {"role": "user", "content": f"no, {number + 1}"},
        {"role": "assistant", "content": "that?", "items": shown},
    ]
    stated = {
        "id": f"c{number}", "task": "footwear", "arm": arm, "user": user or f"u{number}", "messages": messages,
        "ending": ("accepted", "left", "turn_limit")[number % 3],
    }  # fmt: skip
    return json.dumps({**stated, **more})


def log(path: Path, lines: list[str]) -> Path:
    """Write a log."""
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def one_line_of(ended: Ended, status: int = 2) -> str:
    assert ended.status == status, ended.err
    assert ended.out == ""
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, ended.err
    assert ended.err.splitlines()[-1] == errors[0]
    assert "Traceback" not in ended.err
    return errors[0]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_says(line: str, problem: str) -> None:
    assert re.search(problem, line), line
