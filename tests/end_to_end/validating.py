"""The command line as the tests type it, and small files of conversations for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PEOPLE = REPOSITORY / "data/demo/convapparel_standin.json"
CLOSE = REPOSITORY / "data/demo/simulator_close.jsonl"
NAIVE = REPOSITORY / "data/demo/simulator_naive.jsonl"


def convsim(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "convsim", *map(str, arguments)],
        capture_output=True, text=True, env={**os.environ, **environment}, check=False,
    )  # fmt: skip


def line(number: int, *, arm: str = "good", text: str = "", **more: object) -> str:
    said = text or f"size {number} boots please {number % 7}"
    message = {"role": "user", "content": said}
    return json.dumps({"id": f"c{number}", "task": "footwear", "arm": arm, "messages": [message], **more})


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
    return path
