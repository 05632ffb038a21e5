"""Measures people and what is to be mixed, parts both into halves, learns weights on one and judges on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, isinf

import numpy as np

from convsim._text import listed, plain
from convsim.errors import InputError
from convsim.evaluation.tuning import Distance, Outcome, Shown
from convsim.io import split
from convsim.metrics import Metrics, measure_both
from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.schema.conversation import Conversation
from convsim.schema.corpus import refused_labels
from convsim.seeds import generator
from convsim.stats.balancing import effective_size
from convsim.stats.equivalence import normal_quantile
from convsim.stats.joint_equivalence import Joint, JointRule
from convsim.stats.joint_gain import joint_gain
from convsim.stats.mixing import Learned, Mixing, Rows, joint_of, learned_weights
from convsim.stats.resampling import numbered_units

MIN_PEOPLE = 30
"""People in each half, and conversations that weighted ones must be worth."""
MIN_UNITS = 8
"""Users or conversations with a value of a metric, in either half of people and of each run."""
MIN_METRICS = 2
MOST_OF_ONE = 0.5
"""Of the weight that one persona of several may have."""
ALONE = 0.95
"""Of the weight, from which on a mixture is none."""
SMALLEST_SHARE = 0.02
"""Of an equal share: less weight is none."""
Z95 = JointRule(alpha=0.025).z


@dataclass(frozen=True)
class Measured:
    """People and simulated conversations, measured alike, and what weights are of."""

    real: Corpus
    simulated: Corpus
    groups: tuple[str, ...]
    group_of: IntArray
    """Shape (simulated rows,): an index into ``groups``."""
    halves: tuple[tuple[BoolArray, BoolArray], tuple[BoolArray, BoolArray]]
    """Of people, and of simulated rows: those learned from, and those judged on."""
    units: tuple[IntArray, IntArray]
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    """Metrics that a half of people or of a run hardly has."""

    @classmethod
    def of(
        cls,
        people: Sequence[Conversation],
        by_group: Mapping[str, Sequence[Conversation]],
        *,
        seed: int,
        metrics: Metrics | None,
        each_alone: bool,
        halve_simulated: bool = True,
    ) -> Measured:
        """Measure and halve: people by user, simulated conversations within each group.

        Args:
            people: The people's conversations.
            by_group: The simulated ones.
            seed: Moves the halvings.
            metrics: What is measured.
            each_alone: Every group is judged alone, too, and needs values of each metric.
            halve_simulated: Where it is false, both halves hold all simulated conversations.

        Raises:
            InputError: Fewer than 30 people in a half, or fewer than 2 metrics that can be compared.
        """
        groups = tuple(by_group)
        simulated = [c for conversations in by_group.values() for c in conversations]
        group_of = np.repeat(np.arange(len(groups)), [len(each) for each in by_group.values()])
        corpora = measure_both(people, simulated, metrics=metrics)
        units = (numbered_units(corpora[0]), numbered_units(corpora[1]))
        later = {id(c) for c in split(people, by="user", fraction=0.5, seed=seed).b}
        held = np.asarray([id(c) in later for c in people])
        for half, name in ((~held, "learned from"), (held, "held out")):
            if (n := len(np.unique(units[0][half]))) < MIN_PEOPLE:
                raise InputError(
                    f"{n} people are {name}, which is half of {len(np.unique(units[0]))}; at least {MIN_PEOPLE} are "
                    f"needed in each half: give {2 * MIN_PEOPLE} people or more"
                )
        whole = np.ones(len(group_of), bool)
        judged = _halved(units[1], group_of, seed, by_unit=each_alone) if halve_simulated else whole
        of_simulated = (judged, ~judged if halve_simulated else whole)
        halves = [(0, half) for half in (held, ~held)]
        alone = [group_of == g for g in range(len(groups))] if each_alone else [whole]
        halves += [(1, half & rows) for rows in alone for half in of_simulated]
        refused = refused_labels(*corpora)
        asked = [
            name
            for name, metric in corpora[0].metrics.items()
            if metric.role == "metric" and name in corpora[1].metrics and name not in refused
        ]
        names = tuple(name for name in asked if _has_values(corpora, units, halves, name))
        if len(names) < MIN_METRICS:
            raise InputError(
                f"{len(names)} of {len(asked)} metrics have values of {MIN_UNITS} users or personas in every half of "
                f"people and of what is weighed; at least {MIN_METRICS} are needed: hold conversations of more personas"
            )
        left_out = tuple(name for name in asked if name not in names)
        both = ((~held, held), (of_simulated[1], of_simulated[0]))
        return cls(*corpora, groups, group_of, both, units, names, left_out)

    @cached_property
    def base(self) -> FloatArray:
        """Shape (groups,): every group as often as it was held."""
        return np.bincount(self.group_of, minlength=len(self.groups)) / len(self.group_of)

    @property
    def n_people(self) -> tuple[int, int]:
        """People learned from, and held out."""
        learned, held = self.halves[0]
        return len(np.unique(self.units[0][learned])), len(np.unique(self.units[0][held]))

    def half(self, *, judged: bool) -> Mixing:
        """Return the half that is judged on, or the one that is learned from."""
        sides = []
        for corpus, unit_of, halves, group_of in zip(
            (self.real, self.simulated),
            self.units,
            self.halves,
            (np.zeros(len(self.real), np.int64), self.group_of),
            strict=True,
        ):
            values = np.column_stack([np.asarray(corpus.table[name], np.float64) for name in self.names])
            sides.append(Rows(values, unit_of, group_of).take(halves[int(judged)]))
        return Mixing(self.names, sides[0], sides[1], len(self.groups))

    def squares_learned(self) -> list[float]:
        """Return the squared distance of each group alone from the people learned from."""
        learn = self.half(judged=False)
        of_metrics = learn.metric_weights()
        return [learn.joint(alone, of_metrics).square for alone in np.eye(len(self.groups))]


def _halved(unit_of: IntArray, group_of: IntArray, seed: int, *, by_unit: bool) -> BoolArray:
    """Halve simulated rows at random, whole units of the same groups (or rows within a group) taking turns."""
    rng = generator(seed, "tune", "halves")
    judged = np.zeros(len(group_of), bool)
    if not by_unit:
        for group in np.unique(group_of):
            rows = rng.permutation(np.flatnonzero(group_of == group))
            judged[rows] = (np.arange(len(rows)) + rng.integers(2)) % 2 == 1
        return judged
    pairs = np.unique(np.column_stack([unit_of, group_of]), axis=0)
    met: dict[int, tuple[int, ...]] = {}
    for unit, group in pairs.tolist():
        met[unit] = (*met.get(unit, ()), group)
    for label in dict.fromkeys(met.values()):
        units = rng.permutation([unit for unit, groups in met.items() if groups == label])
        judged |= np.isin(unit_of, units[::2] if rng.integers(2) else units[1::2])
    return judged


def _has_values(
    corpora: tuple[Corpus, Corpus],
    units: tuple[IntArray, IntArray],
    halves: Sequence[tuple[int, BoolArray]],
    name: str,
) -> bool:
    values = [np.asarray(corpus.table[name], np.float64) for corpus in corpora]
    varies = len(np.unique(np.concatenate([column[~np.isnan(column)] for column in values]))) > 1
    return varies and all(
        len(np.unique(units[side][rows & ~np.isnan(values[side])])) >= MIN_UNITS for side, rows in halves
    )


@dataclass(frozen=True)
class Weighed:
    """Weights learned on one half, and what the other half says of them."""

    measured: Measured
    learned: Learned

    @classmethod
    def of(cls, measured: Measured, base: FloatArray, *, seed: int) -> Weighed:
        """Learn weights that diverge from ``base``; a fiftieth of an equal share is none, and 95 % are all."""
        learned = learned_weights(measured.half(judged=False), base, seed=seed)
        weights = learned.weights
        weights = np.where(weights < SMALLEST_SHARE / len(weights), 0.0, weights)
        if weights.max() >= ALONE:
            weights = np.where(weights == weights.max(), 1.0, 0.0)
        return cls(measured, replace(learned, weights=weights / weights.sum()))

    @classmethod
    def at(cls, measured: Measured, weights: FloatArray) -> Weighed:
        """Judge weights that were chosen otherwise."""
        return cls(measured, Learned(weights, inf))

    @property
    def weights(self) -> FloatArray:
        """Shape (groups,)."""
        return self.learned.weights

    @property
    def is_one(self) -> bool:
        """Whether all weight lies on one group."""
        return float(self.weights.max()) == 1.0

    @property
    def effective_size(self) -> float:
        """Conversations of both halves that the weighted ones are worth."""
        sizes = np.bincount(self.measured.group_of, minlength=len(self.measured.groups))
        return effective_size((self.weights / sizes)[self.measured.group_of])

    @cached_property
    def judged(self) -> Mixing:
        """What weights are judged on."""
        return self.measured.half(judged=True)

    @cached_property
    def of_metrics(self) -> FloatArray:
        """The weight of each metric in all distances."""
        return self.judged.metric_weights()

    def distance(self, weights: FloatArray) -> Distance:
        """Return how far a mixture lies from the held-out people."""
        found = self.judged.contrasts(weights)
        joint, k = joint_of(found, self.of_metrics), len(self.measured.names)
        location = Joint(found.estimates[:k], found.covariance[:k, :k], self.of_metrics)
        return Distance(estimate=joint.distance, interval=joint.limits(Z95), location=location.distance)

    def nearest(self) -> FloatArray:
        """Return the one group that is nearest to the people learned from, as weights."""
        squares = self.measured.squares_learned()
        return np.asarray(np.eye(len(squares))[int(np.argmin(squares))])

    def gain(self, before: FloatArray, *, over: str) -> tuple[Shown, bool]:
        """Return what the weights win over others on the held-out people, and whether that is shown."""
        found = joint_gain(
            self.judged.contrasts(before),
            self.judged.contrasts(self.weights),
            self.of_metrics,
            z=normal_quantile(0.975),
        )
        return Shown(estimate=found.estimate, interval=found.interval, over=over), found.is_shown

    def outcome(self, *, is_shown: bool) -> Outcome:
        """Say what came of it."""
        if self.is_one:
            return "one"
        return "gained" if is_shown else "nothing_gained"

    def check_collapse(self, what: str) -> None:
        """Refuse weights that stand on next to nothing.

        Raises:
            InputError: They are worth fewer than 30 conversations, or one persona has more than half of the weight.
        """
        weights, groups = self.weights, self.measured.groups
        heaviest = int(np.argmax(weights))
        named = f"{what} {plain(groups[heaviest], limit=60)!r} has {weights[heaviest]:.0%} of the weight"
        if (size := self.effective_size) < MIN_PEOPLE:
            raise InputError(
                f"the weights collapse: weighted, {len(self.measured.group_of)} conversations are worth {size:.0f} "
                f"(Kish), fewer than {MIN_PEOPLE}; {named}: hold more conversations of what is weighed, or tune over "
                "something coarser"
            )
        if what == "persona" and len(groups) > 1 and weights[heaviest] > MOST_OF_ONE:
            raise InputError(
                f"the weights collapse on one persona: {named}; no mixture of these personas comes near people: add "
                "personas that are like them"
            )

    def sample(self, *, seed: int) -> list[Conversation]:
        """Draw conversations of the judged half by the weights, none twice; every run has its quota.

        Systematic sampling with probabilities in proportion to the weights: as many as can be drawn so. Where these are
        fewer than 30, as many as the weighted ones are worth, and those with most weight are in it for sure.
        """
        held = self.measured.halves[1][1]
        rows, group_of = np.flatnonzero(held), self.measured.group_of[held]
        sizes = np.bincount(group_of, minlength=len(self.measured.groups))
        share = self.weights[group_of] / np.maximum(sizes, 1)[group_of]
        n = int(share.sum() / share.max())
        if n < MIN_PEOPLE:
            n = min(len(rows), round(effective_size(share)))
        rng = generator(seed, "tune", "sample")
        order = rng.permutation(len(rows))
        order = order[np.argsort(group_of[order], kind="stable")]
        ends = np.cumsum(np.minimum(1.0, n * share[order] / share.sum()))
        taken = np.floor(ends + rng.random()).astype(np.int64)
        chosen = rows[order[np.diff(taken, prepend=0) > 0]]
        return [self.measured.simulated.conversations[int(row)] for row in np.sort(chosen)]

    def strength(self) -> float | None:
        """Return what divergence cost; None where nothing moved."""
        return None if isinf(self.learned.strength) else self.learned.strength


def left_out_warning(measured: Measured) -> list[str]:
    """Say which metrics are not compared."""
    if not measured.left_out:
        return []
    names = listed(list(measured.left_out), MIN_UNITS)
    return [
        f"not compared, since a half has fewer than {MIN_UNITS} users or conversations with a value: {names}"
    ]
