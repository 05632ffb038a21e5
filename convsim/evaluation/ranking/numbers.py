"""Every number of a ranking, for people and a simulator as observed and in draws of their users, and for two halves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from convsim.evaluation.ranking.outcomes import FailureMix, Outcome, common_tasks
from convsim.evaluation.ranking.record import PeopleAgainstPeople
from convsim.seeds import generator
from convsim.stats.group_levels import DrawnLevels, GroupLevels, divided
from convsim.stats.kept_order import KeptOrder, Signs, told_apart
from convsim.stats.resampling import draw_units
from convsim.stats.slopes import expanded_percentiles

if TYPE_CHECKING:
    from convsim.schema import Interval
    from convsim.schema.arrays import FloatArray

ALPHA = 0.05
"""The error rate of all pairs that people are said to tell apart."""
N_RESAMPLES = 999
N_SPLITS = 200
LEVEL = 0.95
DISTANCES = frozenset({"level_error", "calibration_error", "failure_mix"})
BLOCK = 4_000_000
"""Weights held at a time; bounds memory at any number of units."""


@dataclass(frozen=True)
class Counted:
    """One side added up by unit: by system, by system and task, and by what became of what went badly."""

    levels: GroupLevels
    cells: GroupLevels
    failures: FloatArray
    """Shape (units, names); no names where nothing is recorded."""

    @property
    def n_units(self) -> int:
        """Independent units."""
        return len(self.levels.counts)


@dataclass(frozen=True)
class Compared:
    """People and a simulator, their users drawn anew on both sides, independently."""

    systems: tuple[str, ...]
    people: Counted
    simulated: Counted
    seed: int

    @classmethod
    def of(
        cls, systems: Sequence[str], people: Outcome, simulated: Outcome, mix: FailureMix | str, *, seed: int
    ) -> Compared:
        """Add both sides up."""
        tasks = common_tasks(people, simulated, len(systems))
        sides = []
        for each, failures in ((people, "people"), (simulated, "simulated")):
            counts = np.zeros((each.n_units, 0)) if isinstance(mix, str) else getattr(mix, failures)
            sides.append(Counted(each.levels(systems), each.cells(systems, tasks), counts))
        return cls(tuple(systems), sides[0], sides[1], seed)

    @cached_property
    def observed(self) -> tuple[DrawnLevels, DrawnLevels]:
        """The levels of both sides as they are."""
        people, simulated = (
            each.levels.drawn(np.ones((each.n_units, 1))) for each in (self.people, self.simulated)
        )
        return people, simulated

    @cached_property
    def order(self) -> KeptOrder:
        """The pairs that people tell apart as they are, and what the simulator makes of them."""
        return KeptOrder.of(told_apart(self.observed[0], alpha=ALPHA), self.observed[1])

    @cached_property
    def numbers(self) -> Mapping[str, FloatArray]:
        """The numbers as observed, then of draws of users; shape (1 + resamples,).

        Which pairs people tell apart is decided in each draw anew.
        """
        found = [
            _numbers(
                self.people, self.simulated, *(np.ones((s.n_units, 1)) for s in (self.people, self.simulated))
            )
        ]
        rngs = [generator(self.seed, "ranking", side) for side in ("people", "simulated")]
        size = max(1, BLOCK // max(self.people.n_units, self.simulated.n_units))
        for start in range(0, N_RESAMPLES, size):
            n = min(size, N_RESAMPLES - start)
            weights = [
                draw_units(side.n_units, n, rng).astype(np.float64)
                for side, rng in zip((self.people, self.simulated), rngs, strict=True)
            ]
            found.append(_numbers(self.people, self.simulated, *weights))
        return {name: np.concatenate([part[name] for part in found]) for name in found[0]}

    @cached_property
    def ceiling(self) -> Mapping[str, PeopleAgainstPeople]:
        """The numbers of random halves of the people, by unit, the one in the simulator's place."""
        n = self.people.n_units
        rng = generator(self.seed, "ranking", "halves")
        first = (rng.permuted(np.tile(np.arange(n), (N_SPLITS, 1)), axis=1) < n // 2).T.astype(np.float64)
        found = _numbers(self.people, self.people, first, 1 - first)
        return {
            name: PeopleAgainstPeople(mean=float(kept.mean()), limit=_limit(name, kept))
            for name, values in found.items()
            if len(kept := values[~np.isnan(values)]) > N_SPLITS / 2
        }

    def interval(self, name: str) -> Interval | None:
        """Return the 95 % interval of a number; None where it is undefined, or in more than a tenth of the draws.

        Distances grow with noise, so that those of draws lie above the one observed: they are moved down by as much
        (Efron and Tibshirani 1993, An introduction to the bootstrap, section 10.2).
        """
        values = self.numbers[name]
        estimate, drawn = float(values[0]), values[1:]
        if np.isnan(estimate):
            return None
        if name in DISTANCES:
            drawn = np.maximum(drawn - (np.nanmean(drawn) - estimate), 0.0)
        n_units = min(int(each.levels.n_units.min()) for each in (self.people, self.simulated))
        limits = expanded_percentiles(drawn, n_units, level=LEVEL)
        return limits and (min(limits[0], estimate), max(limits[1], estimate))


def _limit(name: str, values: FloatArray) -> float:
    if name == "bias":
        return float(np.quantile(np.abs(values), 0.95))
    return float(np.quantile(values, 0.95 if name == "opposite" or name in DISTANCES else 0.05))


def _numbers(
    people: Counted, simulated: Counted, of_people: FloatArray, of_simulated: FloatArray
) -> dict[str, FloatArray]:
    """Return the numbers in draws of units, each of shape (draws,).

    Args:
        people: One side.
        simulated: The side that is held against it.
        of_people: Shape (units, draws): how often each of people's units was drawn.
        of_simulated: The same of the other side.
    """
    told: Signs = told_apart(drawn := people.levels.drawn(of_people), alpha=ALPHA)
    shown = simulated.levels.drawn(of_simulated)
    gaps = shown.means - drawn.means
    in_cells = np.abs(simulated.cells.means(of_simulated) - people.cells.means(of_people))
    size = people.cells.counts.sum(axis=0) * ~np.isnan(in_cells)
    mixes = [
        _proportions(weights.T @ side.failures)
        for weights, side in ((of_people, people), (of_simulated, simulated))
    ]
    return {
        **KeptOrder.of(told, shown).numbers(),
        "level_error": np.abs(gaps).mean(axis=1),
        "calibration_error": divided(np.nansum(in_cells * size, axis=1), size.sum(axis=1)),
        "bias": gaps.mean(axis=1),
        "failure_mix": np.abs(mixes[0] - mixes[1]).sum(axis=1) / 2
        if people.failures.shape[1]
        else np.full(len(gaps), np.nan),
    }


def _proportions(counts: FloatArray) -> FloatArray:
    return divided(counts, np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape))
