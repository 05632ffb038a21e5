"""Runs that differ in nothing but their random seed, put together as one simulator."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from os.path import commonprefix
from typing import NamedTuple

from convsim._text import listed, path_text
from convsim.errors import InputError, StudyError
from convsim.evaluation.comparison import SeedRun
from convsim.evaluation.layout import MEAN_DISTANCE
from convsim.evaluation.scores import score_of, simulator_scores
from convsim.evaluation.sides import Side
from convsim.evaluation.simulators import Loaded
from convsim.io import Transcripts
from convsim.io.manifest import MANIFEST, difference, read_manifest
from convsim.metrics import Metrics
from convsim.schema import Estimate, Validator
from convsim.schema.conversation import Conversation

SEPARATORS = "-_.=, "
SEED_WORD = re.compile(rf"(?:^|[{SEPARATORS}])(?:seed|s)$", re.IGNORECASE)
"""What ends names such as ``lean-seed1`` and ``lean-s2`` when their digits are taken off."""
DRAWN = ("seed", "personas")
"""What a seed changes in a plan: itself, and the personas that it draws from the plan's data."""


class Run(NamedTuple):
    """One run of a simulator."""

    name: str
    source: Transcripts
    seed: int
    ids: frozenset[str] = frozenset()
    """Of its conversations, as they are called among those of all runs."""


class Plan(NamedTuple):
    """What a run folder's manifest says of the run."""

    seed: int
    rest: str
    """All of the plan that no seed changes."""
    whole: Mapping[str, object]


def same_but_for_the_seed(sources: Mapping[str, Loaded]) -> list[list[Run]]:
    """Group the run folders whose plans differ in their seeds alone; groups of one are left out.

    Files tell no plan: whatever they are called, each is a simulator of its own.
    """
    groups: dict[str, list[Run]] = {}
    for name, source in sources.items():
        if isinstance(source, Transcripts) and (plan := _plan(source)) is not None:
            groups.setdefault(plan.rest, []).append(Run(name, source, plan.seed))
    return [group for group in groups.values() if len(group) > 1]


def pooled(
    sources: Mapping[str, Loaded], otherwise: str = ""
) -> tuple[dict[str, Loaded], dict[str, Sequence[Run]]]:
    """Put the runs of each simulator together.

    Args:
        sources: The simulators by name.
        otherwise: What runs are called together whose names have nothing in common but the seed; where it is empty or
            taken, the first and how many more.

    Returns:
        The simulators by name, in their order, and the runs of those that have several.

    Raises:
        InputError: No two runs are the same but for the seed, and in what they differ.
    """
    groups = same_but_for_the_seed(sources)
    if not groups:
        raise InputError(
            f"--pool-seeds: no two simulators are runs of one plan with different seeds{_why(sources)}"
        )
    together: dict[str, Loaded] = {}
    runs: dict[str, Sequence[Run]] = {}
    group_of = {run.name: group for group in groups for run in group}
    for name, source in sources.items():
        if name not in group_of:
            together[name] = source
        elif (group := group_of[name])[0].name == name:
            names = [run.name for run in group]
            called = _called(names, otherwise, taken={*sources, *together} - {*names})
            runs[called] = group = _with_own_ids(group)
            together[called] = tuple(_conversations(group))
    return together, runs


def spread(
    runs: Iterable[Run],
    people: Side,
    simulator: Side | None,
    validators: Iterable[Validator],
    *,
    seed: int,
    metrics: Metrics,
) -> tuple[SeedRun, ...]:
    """Measure the runs of one simulator one by one.

    Args:
        runs: That were pooled.
        people: Whom they are held against.
        simulator: The pooled side, labelled and filtered; None where it cannot be held against them.
        validators: Of them, the one that measures mean distances is asked.
        seed: Moves every random draw.
        metrics: Those that are compared.
    """
    sides: dict[str, Side] = {}
    for run in runs:
        part = simulator and simulator.keep(partial(_is_of, run))
        if part is not None and part.conversations:
            sides[run.name] = part
    measuring = [each for each in validators if each.name == MEAN_DISTANCE[0]]
    found = simulator_scores(measuring, people, sides, seed=seed, metrics=metrics).all
    return tuple(
        SeedRun(
            name=run.name, path=path_text(run.source.path), sha256=run.source.sha256, seed=run.seed,
            n=len(sides[run.name].conversations) if run.name in sides else 0,
            mean_distance=Estimate(estimate=own.estimate, interval=own.interval),
        )
        for run in runs
        for own in (score_of(found, *MEAN_DISTANCE, run.name, None),)
    )  # fmt: skip


def _is_of(run: Run, conversation: Conversation) -> bool:
    return conversation.id in run.ids


def told_of_reading(runs: Iterable[Run]) -> Iterator[str]:
    """Yield what is to be known of how runs were read."""
    for run in runs:
        yield from (f"{run.name} data: {warning}" for warning in run.source.warnings)
        if run.source.skipped:
            yield f"{run.name} data: {run.source.skipped} bad lines were skipped"


def advice(sources: Mapping[str, Loaded]) -> list[str]:
    """Say which of the simulators are one with different seeds."""
    return [
        f"{listed([run.name for run in group], 3)} differ only in their seed; --pool-seeds makes one simulator of them"
        for group in same_but_for_the_seed(sources)
    ]


def _plan(source: Transcripts) -> Plan | None:
    if not (source.path / MANIFEST).is_file():
        return None
    try:
        whole = read_manifest(source.path)["plan"]
    except StudyError:
        return None
    seed = whole.get("seed") if isinstance(whole, dict) else None
    if not isinstance(whole, dict) or not isinstance(seed, int):
        return None
    rest = {key: value for key, value in whole.items() if key not in DRAWN}
    return Plan(seed, json.dumps(rest, sort_keys=True), whole)


def _why(sources: Mapping[str, Loaded]) -> str:
    plans = [plan for each in sources.values() if isinstance(each, Transcripts) and (plan := _plan(each))]
    if len(plans) < 2:
        return "; a plan is in the manifest of a run folder of convsim simulate, and files have none"
    first, second = ({k: v for k, v in plan.whole.items() if k not in DRAWN} for plan in plans[:2])
    return f"; the plans of the first two differ: {difference(first, second)}"  # type: ignore[arg-type]


def _called(names: Sequence[str], otherwise: str, *, taken: Iterable[str]) -> str:
    """Name runs after what their names have in common: parts between commas, or how they begin, without the seed."""
    parts = [name.split(",") for name in names]
    common = ",".join(first for first, *others in zip(*parts, strict=False) if {first} == {*others})
    for called in (common or _beginning(names), otherwise):
        if called.strip() and called not in taken:
            return called
    return f"{names[0]} and {len(names) - 1} more"


def _beginning(names: Sequence[str]) -> str:
    """Return how names begin, in whole words and values; empty where nothing but the seed is left."""
    stems = [re.sub(r"\d+$", "", name) for name in names]
    start = commonprefix(stems)  # noqa: RUF071  (names, not paths)
    if any(stem[len(start) : len(start) + 1].strip(SEPARATORS) for stem in stems):
        start = start[: max(start.rfind(separator) for separator in SEPARATORS) + 1]
    return SEED_WORD.sub("", start.rstrip(SEPARATORS)).rstrip(SEPARATORS)


def _with_own_ids(runs: Sequence[Run]) -> list[Run]:
    """Give each run ids that no other has: where two share one, that of the later gets its place before it."""
    ids = [frozenset(each.id for each in run.source) for run in runs]
    taken: frozenset[str] = frozenset()
    renamed = []
    for place, (run, own) in enumerate(zip(runs, ids, strict=True)):
        if own & taken:
            source = replace(
                run.source, conversations=tuple(c.but(id=f"run {place}: {c.id}") for c in run.source)
            )
            run = run._replace(source=source)
            own = frozenset(each.id for each in source)
        taken |= own
        renamed.append(run._replace(ids=own))
    return renamed


def _conversations(runs: Iterable[Run]) -> Iterator[Conversation]:
    for run in runs:
        yield from run.source
