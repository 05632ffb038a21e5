"""People's reactions against other people's: the third pillar of a perfect simulator, for every pair of agents."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Any

import convsim
from convsim.evaluation.scorecard import Scorecard
from convsim.schema.details.reactions import ShiftDetails
from convsim.schema.finding import FAILING
from tests.evidence.kept import Kept
from tests.evidence.sets import AGENTS, PEOPLE, halves
from tests.evidence.tables import as_table, by, in_how_many

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


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say."""
    lines = []
    for (control, treatment), found in by(rows, "control", "treatment").items():
        known = [row for row in found if row["ratio"] is not None]
        ratios = ", ".join(
            f"{r['ratio']:.2f} [{r['interval'][0]:.2f}, {r['interval'][1]:.2f}]" for r in known
        )
        established = [len(row["established"]) for row in found]
        aligned = sum(v == "aligned" for row in found for v in row["of_established"].values())
        lines.append(
            [
                f"{control} to {treatment}",
                str(len(found)),
                *(", ".join(_mean_shifts(found, name)) for name in SHOWN),
                f"{mean(established):.1f}",
                f"{aligned} of {sum(established)}",
                ratios or "-",
                in_how_many([bool(row["failing"]) for row in found]),
                ", ".join(f"`{name}`" for name in sorted({name for row in found for name in row["failing"]}))
                or "-",
            ]
        )
    verdicts = [row["found"]["verdict"] for row in rows if row["found"]["ratio"] is not None]
    decided = sum(verdict != "undecided" for verdict in verdicts)
    table = as_table(
        [
            "agents",
            "runs",
            *(f"shift in {name}" for name in SHOWN),
            "shifts of people established",
            "of these reacts as people",
            "reaction ratio",
            "cards with a failing finding",
            "which",
        ],
        lines,
    )
    return f"""## Reactions of people against reactions of other people

{PEOPLE.name}: one half of the people in the simulator's place of the third pillar, for every pair of the four agents:
what a perfect simulator gets. The ratio is 1 where it reacts as far as people.

{table}

Shifts are those of people and of the other people, on average. A ratio is given where people shift clearly enough over
all metrics: in {len(verdicts)} of {len(rows)} cards; its verdict is decided in {decided}.
`first_message_simulated` asks whether first words depend on the agent, whom nobody had met yet; the next section says
what people's depend on. Cards of one run share a halving of the people."""


def _mean_shifts(found: Sequence[dict[str, Any]], name: str) -> list[str]:
    sides = ("people", "simulated")
    return [f"{mean(row['shifts'][name][side] for row in found):+.2f}" for side in sides]
