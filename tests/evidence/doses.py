"""The suite's resolution: people among whom a known share is no people, and the least share that a validator finds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import convsim
from convsim.schema.conversation import Conversation
from tests.evidence.kept import Kept
from tests.evidence.people import verdicts_of
from tests.evidence.sets import LLM_USERS, PEOPLE, halves, read

DOSES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
SIZES = (100, 200, 400)


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
