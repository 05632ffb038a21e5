"""Rows of an experiment, kept in a file as they are made, so that one that was stopped goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Kept:
    """One JSON object a line: what was asked, what was found, and the processor seconds that it took."""

    path: Path
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            whole, _, cut = self.path.read_text(encoding="utf-8").rpartition("\n")
            self.rows = [json.loads(line) for line in whole.splitlines()]
            if cut:
                self.path.write_text(f"{whole}\n" if whole else "", encoding="utf-8")

    def row(self, asked: Mapping[str, Any], make: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """Return the row of what is asked, made now if it is not there yet."""
        for row in self.rows:
            if row["asked"] == asked:
                return row
        begun = time.process_time()
        found = dict(make())
        row = {"asked": dict(asked), "found": found, "cpu_s": round(time.process_time() - begun, 2)}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.rows.append(row)
        print(f"{self.path.stem} {json.dumps(asked, ensure_ascii=False)} {row['cpu_s']:.0f} s", flush=True)
        return row
