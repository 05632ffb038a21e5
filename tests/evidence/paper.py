"""What the paper reports of people, asked again of other people: how they react, and who can tell how they feel.

The paper is Meshi et al. (2026), ConvApparel, arXiv 2602.16938; its figures are quoted as reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import convsim
from convsim.annotation.agreement.checking import check
from convsim.schema.conversation import Conversation
from convsim.schema.details.reactions import ShiftDetails
from tests.evidence.kept import Kept
from tests.evidence.reactions import reaction_of
from tests.evidence.sets import GEMINI, GPT, PEOPLE, SETS, RealSet, halves, read

CRSARENA = next(of for of in SETS if of.name == "CRSArena")
PAIRS = ((CRSARENA, "good", "bad"), (PEOPLE, GEMINI, GPT))
"""Sets in which people met a better and a worse agent."""


def run(data: Path, out: Path, runs: int) -> None:
    """Measure reactions of people, of other people against them ``runs`` times, and agreement on satisfaction."""
    kept = Kept(out / "paper.jsonl")
    for of, control, treatment in PAIRS:
        asked = {"of": "shifts", "set": of.name, "control": control, "treatment": treatment}
        kept.row(asked, partial(_shifts, data, of, control, treatment))
    for seed in range(runs):
        kept.row(
            {"of": "other people", "set": CRSARENA.name, "seed": seed},
            partial(_other_people, data, CRSARENA, "good", "bad", seed),
        )
    for source in ("third_party", "rules"):
        asked = {"of": "agreement", "set": CRSARENA.name, "source": source, "against": "self"}
        kept.row(asked, partial(_agreement, data, source))


def _shifts(data: Path, of: RealSet, control: str, treatment: str) -> dict[str, Any]:
    """Return how far all people of a set shift; the other side is half of them, and is not looked at."""
    everybody: Sequence[Conversation] = read(data, of).conversations
    other: Sequence[Conversation] = halves(data, of, 0).b
    if of is CRSARENA:  # rules read English alone
        everybody, other = _with_acts(everybody), _with_acts(other)
    card = convsim.counterfactual(everybody, other, control=control, treatment=treatment, seed=0, cache=False)
    shifts = {
        f.metric: f.details for f in card.findings if isinstance(f.details, ShiftDetails) and not f.is_control
    }
    return {
        "n": {arm: sum(c.arm == arm for c in everybody) for arm in (control, treatment)},
        "shifts": {
            metric: {
                "estimate": shift.human_shift.estimate,
                "interval": shift.human_shift.interval,
                "p_adjusted": shift.human_shift.p_adjusted,
                "established": bool(shift.human_shift.established),
                "means": shift.human_means,
            }
            for metric, shift in shifts.items()
            if shift.human_shift is not None and shift.human_shift.estimate is not None
        },
    }


def _other_people(data: Path, of: RealSet, control: str, treatment: str, seed: int) -> dict[str, Any]:
    dealt = halves(data, of, seed)
    card = convsim.counterfactual(
        dealt.a, dealt.b, control=control, treatment=treatment, seed=seed, cache=False
    )
    return reaction_of(card)


def _agreement(data: Path, source: str) -> dict[str, Any]:
    people = read(data, CRSARENA).conversations
    if source == "rules":
        labelled = _with_acts(people)
        source = next(
            label.source for c in labelled for label in c.labels["satisfaction"] if label.source != "self"
        )
    else:
        labelled = _rated_by_others(people)
    report = check(labelled, labelled, source=source, against="self", seed=0)
    found = report.for_label("satisfaction", "conversation")
    assert found is not None, "both label satisfaction"
    tau_b = found.kendall_tau_b
    return {"tau_b": tau_b.estimate, "interval": tau_b.interval, "n": found.n}


def _with_acts(people: Sequence[Conversation]) -> Sequence[Conversation]:
    return convsim.annotate(people, convsim.make_annotator("rules")).conversations


def _rated_by_others(people: Sequence[Conversation]) -> list[Conversation]:
    """Put what others thought of a conversation on the whole in the place of its satisfaction."""
    rated = []
    for c in people:
        others = [label for label in c.labels.get("eval_overall", ()) if label.source == "third_party"]
        own = [label for label in c.labels.get("satisfaction", ()) if label.source == "self"]
        rated.append(c.but(labels={**c.labels, "satisfaction": (*own, *others)}))
    return rated
