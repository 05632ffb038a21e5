"""Counts in CALIBRATION.md how often each validator catches the adversaries that it must catch."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from tests.evidence.tables import as_table, in_how_many

CALIBRATION = Path(__file__).parents[2] / "validators" / "CALIBRATION.md"
SIZE = re.compile(r"^## (\d+) people a side$", re.MULTILINE)
MUST = re.compile(r"^\*\*(\d+)/(\d+)\*\*$")
Runs = dict[str, list[bool]]
"""Whether an adversary was caught, run by run, by its name."""


def must_catch(page: str) -> dict[int, dict[str, Runs]]:
    """Return what the page's bold cells say, by people a side, validator and adversary."""
    _, *parts = SIZE.split(page)
    found: dict[int, dict[str, Runs]] = {}
    for n, text in zip(parts[::2], parts[1::2], strict=True):
        of: dict[str, Runs] = defaultdict(dict)
        columns, *lines = (_cells(line) for line in text.splitlines() if line.startswith("| "))
        for adversary, *cells in lines:
            for validator, cell in zip(columns[1:], cells, strict=False):
                if bold := MUST.match(cell):
                    k, m = map(int, bold.groups())
                    of[validator][adversary] = [True] * k + [False] * (m - k)
        found[int(n)] = dict(sorted(of.items()))
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\_", "_") for cell in line.strip("| ").split(" | ")]


def power(page: str) -> str:
    """Write what the page says of power."""
    sizes = must_catch(page)
    names = sorted({validator for of in sizes.values() for validator in of})
    lines = []
    for validator in names:
        cells = [of.get(validator, {}) for of in sizes.values()]
        missed = [
            f"`{adversary}` {sum(runs)}/{len(runs)} at {n}"
            for n, of in zip(sizes, cells, strict=True)
            for adversary, runs in of.items()
            if not all(runs)
        ]
        every = [[caught for runs in of.values() for caught in runs] for of in cells]
        told = [in_how_many(runs) if runs else "-" for runs in every]
        lines.append([f"`{validator}`", str(max(map(len, cells))), *told, ", ".join(missed) or "-"])
    head = ["validator", "adversaries", *(f"{n} a side" for n in sizes), "not in every run"]
    return f"""### Power: simulators that are wrong in one way

Counted in [CALIBRATION.md](CALIBRATION.md), which says what each adversary does and who else catches it: in how many
runs a validator has a failing finding of the adversaries that it must catch, over all of them. An interval is of these
adversaries taken together, some of which are harder than others.

{as_table(head, lines)}"""
