"""The suite's resolution: people among whom a known share is no people, and the least share that a validator finds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

import convsim
from convsim.schema.conversation import Conversation
from tests.evidence.kept import Kept
from tests.evidence.people import verdicts_of
from tests.evidence.sets import LLM_USERS, PEOPLE, halves, read
from tests.evidence.tables import as_table, by

DOSES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
SIZES = (100, 200, 400)
FOUND = 0.8
"""The proportion of runs in which a dose is found, from which it counts as the resolution."""


def dosed(
    people: Sequence[Conversation],
    others: Sequence[Conversation],
    dose: float,
    n: int,
    rng: np.random.Generator,
) -> list[Conversation]:
    """Draw ``n`` conversations of which a share is of ``others``; which side is simulated is decided by position."""
    n_others = round(dose * n)
    drawn = [people[i] for i in rng.permutation(len(people))[: n - n_others]]
    return drawn + [others[i] for i in rng.permutation(len(others))[:n_others]]


def run(data: Path, out: Path, runs: int) -> None:
    """Judge every dose at every size, ``runs`` times."""
    kept = Kept(out / "doses.jsonl")
    for seed in range(runs):
        for n in SIZES:
            for dose in DOSES:
                asked = {"others": "LLM users", "n": n, "dose": dose, "seed": seed}
                kept.row(asked, partial(_card, data, n, dose, seed))


def _card(data: Path, n: int, dose: float, seed: int) -> dict[str, Any]:
    dealt = halves(data, PEOPLE, seed)
    rng = np.random.default_rng([seed, n, round(100 * dose)])
    real = [dealt.a[i] for i in rng.permutation(len(dealt.a))[:n]]
    simulated = dosed(dealt.b, read(data, LLM_USERS).conversations, dose, n, rng)
    card = convsim.validate(real, simulated, seed=seed, cache=False)
    return verdicts_of(card)


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say."""
    groups = by(rows, "n", "dose")
    sizes, doses = (sorted({key[at] for key in groups}) for at in (0, 1))
    names = sorted({f.split(".")[0] for row in rows for f in row["found"]["failing"]})
    cells: dict[str, dict[int, dict[float, list[bool]]]] = {
        name: {
            n: {
                dose: [any(f.startswith(f"{name}.") for f in row["failing"]) for row in groups[n, dose]]
                for dose in doses
            }
            for n in sizes
        }
        for name in names
    }
    lines = [[f"`{name}`", *(_least(cells[name][n], doses) for n in sizes)] for name in names]
    anything = {n: {dose: [bool(row["failing"]) for row in groups[n, dose]] for dose in doses} for n in sizes}
    lines.append(["any of them", *(_least(anything[n], doses) for n in sizes)])
    table = as_table(["validator", *(f"{n} a side" for n in sizes)], lines)
    full = as_table(
        ["validator", "a side", *(f"{dose:.0%}" for dose in doses)],
        [
            [
                f"`{name}`",
                str(n),
                *(f"{sum(cells[name][n][dose])}/{len(cells[name][n][dose])}" for dose in doses),
            ]
            for name in names
            for n in sizes
        ],
    )
    return f"""## Resolution: the least dose that is found

{PEOPLE.name}: held-out people among whom a share is LLM users of the same tasks, against other people. A dose is found
from where a failing finding is there in {FOUND:.0%} of the runs, at it and above. LLM users' words are a translation,
which is a giveaway of its own: other simulators may need a larger dose.

{table}

In how many runs each validator had a failing finding, by dose (0 %: people against people):

{full}"""


def _least(by_dose: dict[float, list[bool]], doses: Sequence[float]) -> str:
    least = None
    for dose in reversed(doses):
        if dose == 0 or mean(by_dose[dose]) < FOUND:
            break
        least = dose
    return "not found" if least is None else f"{least:.0%}"
