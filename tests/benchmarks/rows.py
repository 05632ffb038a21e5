"""What a benchmark measured: rows, printed as a table and kept as JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Row:
    """One number; ``ratio`` is what it is over the number of ``beside``, measured in the same run."""

    case: str
    """What was run: sizes, how many at a time, whose code."""
    measure: str
    unit: str
    value: float
    beside: str | None = None
    ratio: float | None = None


def with_json(parser: argparse.ArgumentParser) -> None:
    """Let a benchmark's command line name a file for its rows."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")


def report(rows: Iterable[Row], json_file: Path | None) -> None:
    """Print a table of the rows and write them where that is asked for."""
    found = [*rows]
    print(table(found), flush=True)
    write(found, json_file)


def write(rows: Sequence[Row], json_file: Path | None) -> None:
    """Write rows where that is asked for."""
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> list[Row]:
    """Return the rows that a benchmark wrote."""
    return [Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def table(rows: Sequence[Row]) -> str:
    """Write rows as a table of plain text."""
    cells = [
        [
            row.case,
            row.measure,
            f"{row.value:,.4g} {row.unit}",
            "-" if row.ratio is None else f"{row.ratio:,.3g}",
            row.beside or "",
        ]
        for row in rows
    ]
    head = ["case", "measure", "value", "ratio", "beside"]
    widths = [max(len(line[at]) for line in [head, *cells]) for at in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [head, *cells]
    )
