"""The command line as the tests type it, and small files of conversations for it."""

import functools
import json
import os
import subprocess
from pathlib import Path

from tests.end_to_end.commands import interpreter, typed

REPOSITORY = Path(__file__).parents[2]
PEOPLE = REPOSITORY / "data/demo/convapparel_standin.json"
CLOSE = REPOSITORY / "data/demo/simulator_close.jsonl"
NAIVE = REPOSITORY / "data/demo/simulator_naive.jsonl"


def convsim(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    # What PYTHON… says is for an interpreter to read when it starts.
    own = any(name.startswith("PYTHON") and name != "PYTHONPATH" for name in environment)
    return (interpreter if own else typed)(*arguments, env={**os.environ, **environment})


@functools.cache
def once(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command that writes no file, once a test process: for what several tests read the answer of."""
    assert "--out" not in arguments
    return convsim(*arguments)


def line(number: int, *, arm: str = "good", text: str = "", **more: object) -> str:
    said = text or f"size {number} boots please {number % 7}"
    message = {"role": "user", "content": said}
    return json.dumps({"id": f"c{number}", "task": "footwear", "arm": arm, "messages": [message], **more})


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
    return path
