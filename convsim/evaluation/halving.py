"""Searches a small grid of a study's settings: many candidates at few conversations, the nearest half at more."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from math import ceil, prod
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from convsim._inputs import read_toml
from convsim._progress import Step, step
from convsim._text import one_line, plain, shown
from convsim.errors import ConvsimError, InputError, StudyError
from convsim.evaluation.scorecard import MadeBy
from convsim.evaluation.side_warnings import refuse_simulated_people
from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.tune import refuse_copyists
from convsim.evaluation.tuning import Part, Tuning
from convsim.evaluation.weighing import Measured, Weighed
from convsim.io import MANIFEST, Growth, Source, read
from convsim.io.growth import planned_n
from convsim.io.manifest import read_manifest
from convsim.io.provenance import own_version
from convsim.metrics import MetricLike, Metrics, find_metrics
from convsim.schema.conversation import Conversation
from convsim.simulation import Assembly, Study
from convsim.simulation.config import PROMPTS, StudyConfig
from convsim.simulation.estimate import Estimate, check_budget, estimated

MAX_BYTES = 1 << 20
MOST_CANDIDATES = 64
SECTIONS = ("shopper", "model")
SMALLEST_ROUND = 10
ROUNDS = (12, 24, 48)
"""Conversations of each candidate, an arm, in each round."""


@dataclass(frozen=True)
class Candidate:
    """One choice of settings."""

    settings: Mapping[str, JsonValue]
    """By place, such as ``shopper.temperature``."""

    @property
    def name(self) -> str:
        """The settings as they are said, without the first words of their places."""
        return ", ".join(
            f"{place.partition('.')[2]}={_said(value)}" for place, value in self.settings.items()
        )

    @property
    def folder(self) -> str:
        """What the folder of its run is called: the same settings always find it again."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:12]

    def config(self, base: StudyConfig, *, n: int, budget_usd: float | None) -> StudyConfig:
        """Return the study with these settings."""
        flags: dict[str, dict[str, object]] = {"study": {"n": n, "budget_usd": budget_usd}}
        for place, value in self.settings.items():
            section, _, name = place.partition(".")
            into = flags.setdefault(section, {})
            if name == "name":
                into["name"] = value
            else:
                settings = into.setdefault("settings", {})
                assert isinstance(settings, dict)
                settings[name] = value
        return base.with_flags(flags)


def _said(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def read_grid(path: Path) -> list[Candidate]:
    """Read ``[grid]``, all of whose combinations are candidates, or ``[[candidate]]`` tables.

    Raises:
        StudyError: No such file, not TOML, an unknown key or place, or fewer than 2 or more than 64 candidates.
    """
    content = read_toml(path, what="the grid", limit=MAX_BYTES, error=StudyError)
    if unknown := sorted(content.keys() - {"grid", "candidate"}):
        raise StudyError(f"{path}: {one_line(unknown[0])} is not known; expected [grid] or [[candidate]]")
    grid, listed = content.get("grid"), content.get("candidate")
    if isinstance(grid, dict) == isinstance(listed, list):
        raise StudyError(f"{path}: expected one of [grid] and [[candidate]]")
    if isinstance(grid, dict):
        axes: dict[str, list[object]] = {}
        for place, values in _places(grid):
            if not isinstance(values, list) or not values:
                raise StudyError(
                    f"{path}: {one_line(place)}: expected a list of values, but got {shown(values)}"
                )
            axes[place] = values
        if (n := prod(len(values) for values in axes.values())) > MOST_CANDIDATES:
            raise StudyError(f"{path}: {n} combinations; at most {MOST_CANDIDATES} candidates are tried")
        chosen = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    else:
        tables = listed if isinstance(listed, list) else []
        chosen = [dict(_places(each)) if isinstance(each, dict) else {} for each in tables]
    candidates = [Candidate(_checked(each, path)) for each in chosen]
    if not 2 <= len(candidates) <= MOST_CANDIDATES:
        raise StudyError(f"{path}: {len(candidates)} candidates; from 2 to {MOST_CANDIDATES} can be tried")
    if len({each.folder for each in candidates}) < len(candidates):
        raise StudyError(f"{path}: two candidates have the same settings")
    return candidates


def _places(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield places and values: ``"shopper.k"`` and ``shopper.k`` are the same."""
    for key, value in table.items():
        place = f"{prefix}{key}"
        if isinstance(value, dict) and place in SECTIONS:
            yield from _places(value, f"{place}.")
        else:
            yield place, value


def _checked(settings: Mapping[str, object], path: Path) -> dict[str, JsonValue]:
    """Check places, and take folders of prompts from the grid's own folder."""
    checked: dict[str, JsonValue] = {}
    for place, value in settings.items():
        section, _, name = place.partition(".")
        if section not in SECTIONS or not name:
            raise StudyError(f"{path}: {one_line(place)}: expected shopper.SETTING or model.SETTING")
        is_folder = name == PROMPTS and isinstance(value, str)
        checked[place] = str(path.parent / value) if is_folder else value  # type: ignore[assignment,operator]
    return checked


@dataclass(frozen=True)
class Round:
    """So many candidates at so many conversations an arm each."""

    candidates: int
    n: int


def rounds_of(n_candidates: int, sizes: Sequence[int]) -> list[Round]:
    """Return the rounds of successive halving: each keeps the nearer half of the one before."""
    found = []
    for n in sizes:
        found.append(Round(n_candidates, n))
        n_candidates = ceil(n_candidates / 2)
    return found


def planned_conversations(n_candidates: int, sizes: Sequence[int]) -> int:
    """Count conversations an arm, at most: those of all rounds, and those that the last and the first are judged on."""
    before, total = 0, 0
    for each in rounds_of(n_candidates, sizes):
        total += each.candidates * (each.n - before)
        before = each.n
    # The first candidate may have been left behind after the first round.
    return total + before + (2 * before - min(before, sizes[0] if len(sizes) > 1 else before))


@dataclass
class Search:
    """A search that is under way; its runs lie in ``runs``, and an interrupted one goes on from there."""

    base: StudyConfig
    candidates: Sequence[Candidate]
    sizes: Sequence[int]
    runs: Path
    budget_usd: float | None = None
    tell: Callable[[str], None] = lambda said: None
    spent: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        sizes = list(self.sizes)
        if not sizes or sizes != sorted(set(sizes)) or sizes[0] < SMALLEST_ROUND:
            raise InputError(
                f"--rounds {','.join(map(str, sizes))}: expected growing numbers of conversations, "
                f"{SMALLEST_ROUND} or more, such as {','.join(map(str, ROUNDS))}"
            )

    def study(self, candidate: Candidate, n: int) -> Study:
        """Make a candidate's study."""
        left = None if self.budget_usd is None else max(self.budget_usd - self.spent, 1e-9)
        return Assembly(candidate.config(self.base, n=n, budget_usd=left)).study()

    def estimate(self) -> Estimate:
        """Estimate the whole search from its first candidate; raises InputError for a budget without known price."""
        study = self.study(self.candidates[0], self.sizes[0])
        check_budget(study)
        return estimated(study, n=planned_conversations(len(self.candidates), self.sizes))

    def held(self, candidate: Candidate, n: int) -> list[Conversation]:
        """Hold a candidate's conversations up to ``n`` an arm, and return these, failed ones left out.

        Raises:
            ConvsimError: Some are missing: the budget is spent, or the run was stopped.
        """
        folder = self.runs / candidate.folder
        study = self.study(candidate, n)
        before = planned_n(read_manifest(folder)) if (folder / MANIFEST).exists() else None
        if before is not None and before > n:  # an interrupted search has been further
            outcome = self.study(candidate, before).run(folder)
        else:
            growth = Growth(before, n) if before is not None and before < n else None
            outcome = study.run(folder, add=growth)
        self.spent += outcome.cost_usd or 0.0
        if outcome.missing:
            raise ConvsimError(
                f"{folder}: {outcome.missing} conversations are missing ({outcome.stop}); all that was held is kept: "
                "the same command goes on"
                + (" with a larger --budget-usd" if outcome.stop == "budget" else "")
            )
        wanted = {each.id for each in study.planned()}
        held = [c for c in read(folder).conversations if c.id in wanted]
        return list(Side.of(held, candidate.name, Selection()).conversations)


def search(
    real: Source,
    going: Search,
    *,
    seed: int,
    metrics: MetricLike | Sequence[MetricLike] | Metrics | None = None,
) -> tuple[Tuning, Candidate]:
    """Find the settings that are nearest to people, and judge them and the first ones on people held out.

    In each round the candidates' conversations are held against the people who are learned from, and the nearer half
    goes on to the next. The last one and the first candidate then hold as many conversations again: on these, which
    had no part in the choice, both are judged with the held-out people.

    Args:
        real: The people's conversations.
        going: The candidates, and where their runs lie.
        seed: Moves the halving of people.
        metrics: Compare these alone, as in ``tune``.

    Returns:
        What was found, and the candidate that came out first.

    Raises:
        InputError: As ``tune`` does.
        ConvsimError: A run could not be brought to its end.

    Source:
        Jamieson and Talwalkar (2016), Non-stochastic best arm identification and hyperparameter optimization:
        successive halving.
    """
    people = Side.of(real, "real", Selection())
    refuse_simulated_people(people.conversations, ())
    measure = partial(
        Measured.of, people.conversations, seed=seed, metrics=find_metrics(metrics), each_alone=True,
        halve_simulated=False,
    )  # fmt: skip
    left = list(going.candidates)
    distances: dict[str, float] = {}
    for each in rounds_of(len(left), going.sizes):
        with step(f"trying candidates at {each.n} conversations", len(left)) as at:
            held = {candidate.name: _held(going, candidate, each.n, at) for candidate in left}
        for name, conversations in held.items():
            refuse_copyists(name, people, Side.of(conversations, name, Selection()))
        with step("measuring candidates"):
            distances |= dict(zip(held, measure(held).squares_learned(), strict=True))
        left.sort(key=lambda candidate: distances[candidate.name])
        going.tell(
            f"{each.candidates} candidates, {each.n} conversations each: nearest {plain(left[0].name, limit=60)}"
        )
        left = left[: ceil(len(left) / 2)]
    with step("judging the nearest candidate"):
        return _judged(people, measure, going, left[0], seed=seed)


def _held(going: Search, candidate: Candidate, n: int, at: Step) -> list[Conversation]:
    at.at(now=candidate.name)
    held = going.held(candidate, n)
    at.advance()
    return held


def _judged(
    people: Side, measure: Callable[..., Measured], going: Search, winner: Candidate, *, seed: int
) -> tuple[Tuning, Candidate]:
    """Judge the winner and the first candidate on conversations that had no part in the choice."""
    first, n = going.candidates[0], going.sizes[-1]
    fresh: dict[str, list[Conversation]] = {}
    for each in (first,) if winner == first else (first, winner):
        known = {planned.id for planned in going.study(each, n).planned()}
        fresh[each.name] = [c for c in going.held(each, 2 * n) if c.id not in known]
    measured = measure(fresh)
    weighed = Weighed.at(measured, np.eye(len(fresh))[-1])
    before = np.eye(len(fresh))[0]
    gain, is_shown = weighed.gain(before, over=f"the first candidate, {plain(first.name, limit=60)}")
    alone = {name: weighed.distance(each) for name, each in zip(fresh, np.eye(len(fresh)), strict=True)}
    parts = [
        Part(
            name=candidate.name,
            n=len(fresh.get(candidate.name, ())),
            weight=float(candidate == winner),
            distance=alone.get(candidate.name),
        )
        for candidate in going.candidates
    ]
    return Tuning(
        over="settings",
        outcome="gained" if is_shown else "nothing_gained",
        real=people.summary,
        n_learned=measured.n_people[0],
        n_held_out=measured.n_people[1],
        metrics=measured.names,
        parts=tuple(parts),
        effective_size=len(fresh[winner.name]),
        before=weighed.distance(before),
        equal=weighed.distance(before),
        after=weighed.distance(weighed.weights),
        gain=gain,
        seed=seed,
        made_by=MadeBy(convsim=own_version()),
    ), winner
