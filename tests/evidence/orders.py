"""Simulators whose order of agents is wrong in a known degree: people whose agents' names are permuted in a share.

Every simulator has the very words and ratings of people who are held out; in a share of its conversations, drawn at
random, the agents' names are dealt anew. So nothing but what depends on the agent is wrong, and how wrong is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from scipy.stats import spearmanr

import convsim
from convsim.schema.conversation import Conversation
from tests.evidence.kept import Kept
from tests.evidence.reactions import reaction_of
from tests.evidence.sets import AGENTS, GEMINI, GPT, PEOPLE, halves, read
from tests.evidence.tables import as_table, by, in_how_many

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def with_permuted_agents(
    conversations: Sequence[Conversation], share: float, rng: np.random.Generator
) -> list[Conversation]:
    """Deal the agents' names of a share of the conversations anew among these."""
    chosen = rng.permutation(len(conversations))[: round(share * len(conversations))]
    to = dict(zip(chosen.tolist(), rng.permutation(chosen).tolist(), strict=True))
    return [
        c.but(arm=conversations[to[at]].arm, agent=conversations[to[at]].agent) if at in to else c
        for at, c in enumerate(conversations)
    ]


def run(data: Path, out: Path, runs: int) -> None:
    """Judge order and reactions of simulators of every share, ``runs`` times."""
    kept = Kept(out / "orders.jsonl")
    for seed in range(runs):
        for share in SHARES:
            asked = {"share": share, "seed": seed}
            kept.row(asked, partial(_judged, data, share, seed))


def _judged(data: Path, share: float, seed: int) -> dict[str, Any]:
    dealt = halves(data, PEOPLE, seed)
    simulated = with_permuted_agents(dealt.b, share, np.random.default_rng([seed, round(100 * share)]))
    (found,) = convsim.rank(dealt.a, {"simulator": simulated}, by="arm", seed=seed).simulators
    whole = _levels(read(data, PEOPLE).conversations)
    ours = _levels(simulated)
    card = convsim.counterfactual(dealt.a, simulated, control=GEMINI, treatment=GPT, seed=seed, cache=False)
    return {
        "verdict": found.verdict,
        "kept": found.kept.estimate,
        "tau_b": found.tau_b.estimate,
        "level_error": found.level_error.estimate,
        "truth": float(np.corrcoef(whole, ours)[0, 1]),
        "reaction": reaction_of(card),
    }


def _levels(conversations: Sequence[Conversation]) -> list[float]:
    rated: dict[str, list[float]] = {agent: [] for agent in AGENTS}
    for c in conversations:
        for label in c.labels.get("satisfaction", ()):
            if c.arm in rated and isinstance(label.value, int | float):
                rated[c.arm].append(float(label.value))
    return [float(np.mean(of)) for of in rated.values()]


def section(rows: list[dict[str, Any]]) -> str:
    """Write what the rows say."""
    lines, shares, errors, truths, ratios = [], [], [], [], []
    for (share,), found in sorted(by(rows, "share").items()):
        of = [row["reaction"]["ratio"] for row in found if row["reaction"]["ratio"] is not None]
        lines.append(
            [
                f"{share:.0%}",
                str(len(found)),
                f"{mean(row['truth'] for row in found):.2f}",
                *(
                    in_how_many([row["verdict"] == verdict for row in found])
                    for verdict in ("aligned", "different")
                ),
                f"{mean(row['kept'] for row in found if row['kept'] is not None):.2f}",
                f"{mean(row['level_error'] for row in found):.3f}",
                f"{mean(of):.2f}" if of else "-",
                in_how_many([bool(row["reaction"]["failing"]) for row in found]),
            ]
        )
    for row in rows:
        found = row["found"]
        shares.append(row["asked"]["share"])
        errors.append(found["level_error"])
        truths.append(found["truth"])
        ratios.append(found["reaction"]["ratio"])
    known = [at for at, ratio in enumerate(ratios) if ratio is not None]
    of_error = spearmanr(errors, truths).statistic
    of_ratio = spearmanr([ratios[at] for at in known], [truths[at] for at in known]).statistic
    table = as_table(
        [
            "names permuted", "runs", "correlation with all people's levels", "`rank` aligned", "`rank` different",
            "pairs kept", "level error (points)", "reaction ratio", "counterfactual card fails",
        ],
        lines,
    )  # fmt: skip
    return f"""## Does a nearer simulator rank agents more like people do?

{PEOPLE.name}. A simulator here is the held-out half of the people; in a known share of its conversations the agents'
names are dealt anew. Its words are people's, so that nothing else is wrong. The truth is the correlation of its mean
satisfaction with each agent with that of all people.

{table}

Over all simulators, Spearman's correlation of the truth with `rank`'s level error is {of_error:.2f} (right: negative),
with the reaction ratio {of_ratio:.2f} (right: positive)."""
