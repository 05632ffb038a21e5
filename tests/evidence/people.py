"""People held against people: what a perfect simulator is called, and how much of a card is decided, at these sizes."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import convsim
from convsim.evaluation.scorecard import Scorecard
from convsim.schema.finding import FAILING
from tests.evidence.kept import Kept
from tests.evidence.sets import SETS, halves


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
