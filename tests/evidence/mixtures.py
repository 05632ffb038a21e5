"""Whether ``tune`` on half of the people brings a mixture nearer to the other half, where the right weights are known.

The simulators are people who are held out, parted at the median of their messages: those who say little and those who
say much. Each alone is wrong, and their true mixture is people.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

import convsim
from convsim.errors import InputError
from convsim.schema.conversation import Conversation
from tests.evidence.kept import Kept
from tests.evidence.sets import SETS, RealSet, halves
from tests.evidence.tables import as_table, by, in_how_many

TAKEN = ("ReDial", "SIMMC 2", "CRSArena")
"""Sets of 120 people and more, since tuning halves half of them."""
FEWEST = 20


def run(data: Path, out: Path, runs: int) -> None:
    """Tune mixtures of those who say little and much, ``runs`` times a set."""
    kept = Kept(out / "mixtures.jsonl")
    for of in SETS:
        for seed in range(runs if of.name in TAKEN else 0):
            asked = {"set": of.name, "seed": seed}
            kept.row(asked, partial(_tuned, data, of, seed))


def _tuned(data: Path, of: RealSet, seed: int) -> dict[str, Any]:
    dealt = halves(data, of, seed)
    little, much = parted(dealt.b)
    # Three quarters of those who say much are taken away: an equal mixture is not the right one by chance.
    rng = np.random.default_rng(seed)
    fewer = [much[i] for i in sorted(rng.permutation(len(much))[: max(FEWEST, len(much) // 4)].tolist())]
    try:
        found = convsim.tune(dealt.a, {"little": little, "much": fewer}, seed=seed, validators=())
    except InputError as error:  # a half with too few people, which the draw decides
        return {"refused": str(error)}
    return {
        "outcome": found.outcome,
        "weights": {part.name: part.weight for part in found.parts},
        "right": {"little": len(little) / len(dealt.b), "much": len(much) / len(dealt.b)},
        "alone": {
            part.name: None if part.distance is None else part.distance.estimate for part in found.parts
        },
        "before": found.before.estimate,
        "equal": found.equal.estimate,
        "after": found.after.estimate,
        "gain": {"estimate": found.gain.estimate, "interval": found.gain.interval},
    }


def parted(conversations: Sequence[Conversation]) -> tuple[list[Conversation], list[Conversation]]:
    """Part conversations at the median of the users' messages."""
    middle = median(len([*c.user_messages]) for c in conversations)
    little = [c for c in conversations if len([*c.user_messages]) <= middle]
    much = [c for c in conversations if len([*c.user_messages]) > middle]
    return little, much


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say."""
    lines = []
    for (name,), every in by(rows, "set").items():
        found = [row for row in every if "refused" not in row]
        off = mean(abs(row["weights"]["little"] - row["right"]["little"]) for row in found)
        lines.append(
            [
                name,
                f"{len(found)} of {len(every)}",
                *(f"{mean(row[of] for row in found):.3f}" for of in ("before", "equal", "after")),
                in_how_many([row["outcome"] == "gained" for row in found]),
                f"{off:.2f}",
            ]
        )
    table = as_table(
        [
            "set",
            "runs that had 60 people",
            "nearest alone",
            "equal mixture",
            "tuned",
            "a gain is shown",
            "weights off by",
        ],
        lines,
    )
    return f"""## Does tuning on half of the people come nearer to the other half?

The simulators are held-out people parted at the median of their messages: those who say little, and a quarter of those
who say much. Each alone is wrong; mixed by the right weights they are people. Distances are those from people whom the
weights were not learned from.

{table}"""
