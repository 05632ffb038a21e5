"""The suite's resolution: people among whom a known share is no people, and the least share that a validator finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

import convsim
from convsim.schema.conversation import Conversation
from tests.evidence.kept import Kept
from tests.evidence.people import verdicts_of
from tests.evidence.rewriting import rewritten, with_rewritten
from tests.evidence.sets import LLM_USERS, PEOPLE, SIMMC, halves, read
from tests.evidence.simulators import PLANS, SMOL, Asked, hold, trial
from tests.evidence.tables import as_table, by

DOSES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
SIZES = (100, 200, 400)
FOUND = 0.8
"""The proportion of runs in which a dose is found, from which it counts as the resolution."""
BOTS = Asked("prompted", SMOL, 150)
REWRITTEN = 100
"""People whose messages the model rewrites."""
DRAWN = 1
"""The random seed of the halves, where one half has taught a shopper."""

Dealt = tuple[list[Conversation], list[Conversation]]
"""People, and those among whom a share is no people."""


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


def _llm_users(data: Path, out: Path, n: int, dose: float, seed: int) -> Dealt:
    dealt = halves(data, PEOPLE, seed)
    rng = _drawn(n, dose, seed)
    real = [dealt.a[i] for i in rng.permutation(len(dealt.a))[:n]]
    return real, dosed(dealt.b, read(data, LLM_USERS).conversations, dose, n, rng)


def _bots(data: Path, out: Path, n: int, dose: float, seed: int) -> Dealt | None:
    """Put the embedded model's prompted shopper among the people whose needs it was given."""
    plan = next(plan for plan in PLANS if plan.set == SIMMC.name)
    folder = hold(data, out, plan, BOTS, DRAWN)
    bots = [c for c in convsim.read(folder) if c.failure is None] if folder else []
    teach, judges = trial(data, out, plan, None, DRAWN).halves()
    if n > min(len(judges), len(teach)) or round(dose * n) > len(bots):
        return None
    rng = _drawn(n, dose, seed)
    return [judges[i] for i in rng.permutation(len(judges))[:n]], dosed(teach, bots, dose, n, rng)


def _rewritten(data: Path, out: Path, n: int, dose: float, seed: int) -> Dealt | None:
    """Let the embedded model rewrite a share of the messages of people.

    Both sides are the first of their halves, as the set is in the order of its kinds of flows: no side has others.
    """
    if n > REWRITTEN:
        return None
    dealt = halves(data, SIMMC, DRAWN)
    real, chosen = list(dealt.a[:REWRITTEN]), dealt.b[:REWRITTEN]
    words = rewritten(chosen, out / "simulators" / "rewritten.jsonl", seed=DRAWN)
    return real, with_rewritten(chosen, words, dose, _drawn(n, dose, seed))


def _drawn(n: int, dose: float, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, n, round(100 * dose)])


LADDERS: dict[str, Callable[[Path, Path, int, float, int], Dealt | None]] = {
    "LLM users": _llm_users,
    f"{BOTS.shopper} {SMOL}": _bots,
    f"messages rewritten by {SMOL}": _rewritten,
}
ABOUT = {
    "LLM users": f"{PEOPLE.name}: held-out people among whom a share is LLM users of the same tasks, against other "
    "people. LLM users' words are a translation, which is a giveaway of its own.",
    f"{BOTS.shopper} {SMOL}": f"{SIMMC.name}: held-out people among whom a share is the embedded model's `prompted` "
    "shopper, against other people.",
    f"messages rewritten by {SMOL}": f"{SIMMC.name}: held-out people of whose messages the embedded model put a "
    "share into other words, against other people; which messages is drawn anew in each run, the people stay the "
    "same, so that at 0% the runs are one. "
    "What they do, and what the agent says, stays as it was.",
}


def run(data: Path, out: Path, runs: int) -> None:
    """Judge every dose at every size, ``runs`` times."""
    kept = Kept(out / "doses.jsonl")
    for others, deal in LADDERS.items():
        for seed in range(runs):
            for n in SIZES:
                for dose in DOSES:
                    asked = {"others": others, "n": n, "dose": dose, "seed": seed}
                    kept.row(asked, partial(_card, partial(deal, data, out, n, dose, seed), seed))


def _card(deal: Callable[[], Dealt | None], seed: int) -> dict[str, Any]:
    dealt = deal()
    if dealt is None:
        return {"refused": "too few people, or too few of the others"}
    return verdicts_of(convsim.validate(*dealt, seed=seed, cache=False))


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say."""
    judged = [row for row in rows if "refused" not in row["found"]]
    parts = [
        f"""## Resolution: the least dose that is found

A dose is found from where a failing finding is there in {FOUND:.0%} of the runs, at it and at all larger ones that were
asked."""
    ]
    for others in dict.fromkeys(row["asked"]["others"] for row in judged):
        parts.append(_ladder(others, [row for row in judged if row["asked"]["others"] == others]))
    return "\n\n".join(parts)


def _ladder(others: str, rows: list[dict[str, Any]]) -> str:
    groups = by(rows, "n", "dose")
    sizes, doses = (sorted({key[at] for key in groups}) for at in (0, 1))
    names = sorted({f.split(".")[0] for row in rows for f in row["found"]["failing"]})

    def found(begins: str, n: int) -> dict[float, list[bool]]:
        return {
            dose: [any(f.startswith(begins) for f in row["failing"]) for row in groups[n, dose]]
            for dose in doses
            if (n, dose) in groups
        }

    lines = [[f"`{name}`", *(_least(found(f"{name}.", n)) for n in sizes)] for name in names]
    lines.append(["any of them", *(_least(found("", n)) for n in sizes)])
    table = as_table(["validator", *(f"{n} a side" for n in sizes)], lines)
    full = as_table(
        ["validator", "a side", *(f"{dose:.0%}" for dose in doses)],
        [
            [f"`{name}`", str(n), *(_in_how_many(found(f"{name}.", n), dose) for dose in doses)]
            for name in names
            for n in sizes
        ],
    )
    return f"""### {others[0].upper()}{others[1:]}

{ABOUT.get(others, "")}

{table}

In how many runs each validator had a failing finding, by dose (0%: people against people):

{full}"""


def least(by_dose: Mapping[float, Sequence[bool]]) -> float | None:
    """Return the least dose from which on all are found; None where even the largest is not."""
    found = None
    for dose in sorted(by_dose, reverse=True):
        if dose == 0 or mean(by_dose[dose]) < FOUND:
            break
        found = dose
    return found


def _least(by_dose: Mapping[float, Sequence[bool]]) -> str:
    if (dose := least(by_dose)) is not None:
        return f"{dose:.0%}"
    return "not found" if max(by_dose) == 1 else f"not found up to {max(by_dose):.0%}"


def _in_how_many(by_dose: Mapping[float, Sequence[bool]], dose: float) -> str:
    return f"{sum(by_dose[dose])}/{len(by_dose[dose])}" if dose in by_dose else "-"
