"""People's reactions against other people's: the third pillar of a perfect simulator, for every pair of agents."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import convsim
from convsim.evaluation.scorecard import Scorecard
from convsim.schema.details.reactions import ShiftDetails
from convsim.schema.finding import FAILING
from tests.evidence.kept import Kept
from tests.evidence.sets import AGENTS, PEOPLE, halves

SHOWN = ("satisfaction", "turns")


def reaction_of(card: Scorecard) -> dict[str, Any]:
    """Return the reaction ratio, what is said of single metrics, and how many shifts of people are established."""
    found = {f.metric: f for f in card.findings}
    ratio, direction = found["reaction_ratio"], found["directional_agreement"]
    judged = [f for f in card.findings if not f.is_control]
    details = {f.metric: f.details for f in judged if isinstance(f.details, ShiftDetails)}
    people = {name: shift.human_shift for name, shift in details.items()}
    simulated = {name: shift.simulated_shift for name, shift in details.items()}
    established = sorted(name for name, shift in people.items() if shift is not None and shift.established)
    return {
        "ratio": ratio.estimate,
        "interval": ratio.interval,
        "verdict": ratio.verdict,
        "reason": ratio.reason,
        "same_direction": direction.estimate,
        "established": established,
        "of_established": {name: found[name].verdict for name in established},
        "failing": sorted(f.metric for f in judged if f.verdict in FAILING),
        "shifts": {
            name: {
                side: shift.estimate
                for side, shift in (("people", of), ("simulated", simulated[name]))
                if shift
            }
            for name, of in people.items()
            if name in SHOWN and of is not None
        },
    }


def run(data: Path, out: Path, runs: int) -> None:
    """Hold one half of the people against the other in every pair of agents, ``runs`` times."""
    kept = Kept(out / "reactions.jsonl")
    for control, treatment in combinations(AGENTS, 2):
        for seed in range(runs):
            asked = {"control": control, "treatment": treatment, "seed": seed}
            kept.row(asked, partial(_card, data, control, treatment, seed))


def _card(data: Path, control: str, treatment: str, seed: int) -> dict[str, Any]:
    dealt = halves(data, PEOPLE, seed)
    card = convsim.counterfactual(
        dealt.a, dealt.b, control=control, treatment=treatment, seed=seed, cache=False
    )
    return reaction_of(card)
