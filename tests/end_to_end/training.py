"""``convsim train`` as a user types it, on logs and models of a few kilobytes."""

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 60


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


def one_line_of(ended: subprocess.CompletedProcess[str], status: int = 2) -> str:
    assert ended.returncode == status, ended.stderr
    assert ended.stdout == ""
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, ended.stderr
    assert ended.stderr.splitlines()[-1] == errors[0]
    assert "Traceback" not in ended.stderr
    return errors[0]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_says(line: str, problem: str) -> None:
    assert re.search(problem, line), line
