"""Writes validators/EVIDENCE.md from what the experiments kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.evidence import (
    calibration_tables,
    claims,
    doses,
    firsts,
    lean,
    mixtures,
    orders,
    people,
    raters_tables,
    reactions,
    simulators_tables,
)
from tests.evidence.sets import SETS
from tests.evidence.tables import as_table

SECTIONS = {
    "calibration": calibration_tables.section,
    "people": people.section,
    "reactions": reactions.section,
    "firsts": firsts.section,
    "orders": orders.section,
    "mixtures": mixtures.section,
    "raters": raters_tables.section,
    "simulators": simulators_tables.section,
    "doses": doses.section,
    "lean": lean.section,
}
"""By experiment, in the order of the page."""
WITHOUT_DATA = {"calibration"}
"""The experiments on people who are made up."""


def page(out: Path) -> str:
    """Return the page as Markdown; experiments that were not run are said."""
    parts = [_intro()]
    kept = {name: _rows(out / f"{name}.jsonl") for name in (*SECTIONS, "paper")}
    for name, section in SECTIONS.items():
        rows = kept[name]
        parts.append(section(rows) if rows else f"## {name}\n\nNot run.")
        if rows:
            minutes = sum(row["cpu_s"] for row in rows) / 60
            data = "" if name in WITHOUT_DATA else " --data FOLDER"
            parts[-1] += (
                f"\n\n`python -m tests.evidence {name}{data} --out OUT`: {minutes:.0f} minutes of a processor."
            )
    parts.append(claims.section(kept))
    return "\n\n".join(parts) + "\n"


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _intro() -> str:
    sets = as_table(
        ["set", "what it is", "where it is published", "units"],
        [[of.name, of.about, of.home, of.by + "s"] for of in SETS],
    )
    return f"""# Evidence

What convsim's verdicts say of real people, and of simulators whose truth is known because they are made of people.
`python -m tests.evidence page --out OUT` writes this page from what the experiments kept; each section has its
command. None of the sets is in the repository: get them, and put them, or links to them, into one folder; convsim
reads them as they are published. Intervals are 95 %; of proportions Wilson's.

{sets}"""
