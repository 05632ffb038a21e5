"""People held against people: what a perfect simulator is called, and how much of a card is decided, at these sizes."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import convsim
from convsim.evaluation.scorecard import Scorecard
from convsim.schema.finding import FAILING
from tests.evidence.kept import Kept
from tests.evidence.sets import SETS, halves
from tests.evidence.tables import as_table, by, in_how_many


def verdicts_of(card: Scorecard) -> dict[str, Any]:
    """Return a card's headlines, the verdicts of its judged findings, and which of these fail."""
    judged = [f for f in card.findings if not f.is_control]
    return {
        "headlines": {h.name: h.verdict for h in card.headlines},
        "verdicts": dict(Counter(f.verdict for f in judged)),
        "failing": sorted(f"{f.validator}.{f.metric}" for f in judged if f.verdict in FAILING),
    }


def run(data: Path, out: Path, runs: int) -> None:
    """Judge random halves of every set against one another, ``runs`` times."""
    kept = Kept(out / "people.jsonl")
    for of in SETS:
        for seed in range(runs):
            kept.row({"set": of.name, "seed": seed}, partial(_card, data, of, seed))


def _card(data: Path, of: Any, seed: int) -> dict[str, Any]:
    dealt = halves(data, of, seed)
    card = convsim.validate(dealt.a, dealt.b, seed=seed, cache=False)
    return {"n": [len(dealt.a), len(dealt.b)], **verdicts_of(card)}


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say."""
    groups = by(rows, "set")
    lines = []
    for (name,), found in groups.items():
        counts = [row["verdicts"] for row in found]
        total = [sum(c.values()) for c in counts]
        failing = sum(len(row["failing"]) for row in found)
        lines.append(
            [
                name,
                " and ".join(str(n) for n in found[0]["n"]),
                str(len(found)),
                in_how_many([bool(row["failing"]) for row in found]),
                f"{failing} of {sum(total)}",
                f"{mean(c.get('aligned', 0) / t for c, t in zip(counts, total, strict=True)):.2f}",
                ", ".join(_headlines(found)),
            ]
        )
    names = sorted({f for row in rows for f in row["found"]["failing"]})
    table = as_table(
        [
            "set",
            "conversations a side",
            "runs",
            "cards with a failing finding",
            "failing findings",
            "proportion aligned",
            "headlines",
        ],
        lines,
    )
    which = f"Failing were: {', '.join(f'`{name}`' for name in names)}." if names else "No finding failed."
    return f"""## People against people

Random halves of one set's people (kept whole by user, where users are known), one half in the simulator's place: what a
perfect simulator is called at these sizes. Nothing should fail; the level is .05 a family, so a few may.

{table}

{which}"""


def _headlines(found: list[dict[str, Any]]) -> list[str]:
    names = [name for name in found[0]["headlines"] if name != "all"]
    told = []
    for name in names:
        verdicts = [row["headlines"].get(name, "undecided") for row in found]
        told.append(f"{name} aligned {verdicts.count('aligned')}/{len(verdicts)}")
    return told
