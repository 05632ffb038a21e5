"""Bootstraps: whole units within strata, statistics of counts by unit, and crossed raters and conversations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from convsim.schema import Corpus, Interval, mix_differs
from convsim.schema.arrays import BoolArray, IntArray
from convsim.seeds import generator
from convsim.stats.neighbours import duplicate_groups
from convsim.stats.units import Key, linked, scenario_keys

if TYPE_CHECKING:
    from numpy.random import Generator
    from scipy.sparse import csr_matrix

    from convsim.schema.arrays import FloatArray

Weights = npt.NDArray[np.float32 | np.uint8 | np.uint16 | np.uint32]
"""Shape (units, replicates): how often each unit was drawn in each replicate, in whole numbers as small as they go.

Compute with what ``in_blocks`` yields: whole numbers wrap around, and products with them copy all at once.
"""

MIN_UNITS_A_STRATUM = 5
"""Below this on either side a stratum is merged into the rest: a bootstrap of k units misses 1/k of the variance."""
REST = "all else"
MIN_PERMUTATIONS = 200
"""Fewer distinct ways to deal the sides cannot show a difference at 5 % once several questions are asked."""


@dataclass(frozen=True)
class Side:
    """The units of one side and the stratum of each."""

    unit_of: IntArray
    """Shape (conversations,): the unit of each conversation, 0 to ``n_units`` - 1."""
    stratum_of: IntArray
    """Shape (units,): the stratum of each unit, an index into the design's ``strata``."""

    @property
    def n_units(self) -> int:
        """How many resampling units there are."""
        return len(self.stratum_of)


@dataclass(frozen=True)
class Design:
    """Two sides whose units share one list of strata."""

    real: Side
    simulated: Side
    strata: tuple[str, ...]
    same_mix: bool
    """Whether both sides hold the strata in like proportions."""
    scenario: IntArray
    """Shape (real + simulated units,): the scenario that a unit shares with the other side, -1 where it shares none.

    Scenarios that one unit met are one: twenty users who all met the same six tasks share a single scenario.
    """

    @classmethod
    def of(cls, real: Corpus, simulated: Corpus) -> Design:
        """Find units and strata; a user who met several arms or tasks forms a stratum with others like it."""
        groups = np.split(linked(scenario_keys(real, simulated)), [len(real)])
        shared = np.intersect1d(groups[0], groups[1])
        sides = [_units(side, group, shared) for side, group in zip((real, simulated), groups, strict=True)]
        counts = [dict(zip(*np.unique(labels, return_counts=True), strict=True)) for _, labels in sides]
        enough = {
            str(label)
            for label in counts[0]
            if min(side.get(label, 0) for side in counts) >= MIN_UNITS_A_STRATUM
        }
        merged = [[str(x) if str(x) in enough else REST for x in labels] for _, labels in sides]
        strata = tuple(sorted(enough)) + ((REST,) if any(REST in labels for labels in merged) else ())
        index = {name: number for number, name in enumerate(strata)}
        real_side, simulated_side = (
            Side(unit_of, np.asarray([index[x] for x in labels], np.int64))
            for (unit_of, _), labels in zip(sides, merged, strict=True)
        )
        same_mix = not mix_differs(Counter(real.strata), Counter(simulated.strata))
        scenario = _shared_scenarios(groups, shared, real_side, simulated_side)
        return cls(real_side, simulated_side, strata, same_mix, scenario)

    @property
    def is_real(self) -> BoolArray:
        """Shape (real + simulated units,): the real units stand first."""
        return np.arange(self.real.n_units + self.simulated.n_units) < self.real.n_units

    @property
    def exchangeable(self) -> IntArray:
        """Shape (real + simulated units,): among which units the null deals sides; the real units stand first.

        Within a scenario that both sides met: twins are alike for another reason than their side. All else within
        strata where the mix is alike. Where it is not, the pooled distance holds the difference of the mix, which
        counts as difference: then H0 is equality of the pooled distributions, and all units are exchangeable.
        """
        strata = np.concatenate([self.real.stratum_of, self.simulated.stratum_of])
        kept = strata if self.same_mix else np.zeros_like(strata)
        return np.unique(np.column_stack([self.scenario, kept]), axis=0, return_inverse=True)[1].ravel()

    def dealings(self, n_permutations: int, rng: Generator) -> Weights:
        """Return the sides as they are, then dealt anew: 1 where a unit counts as real; (units, 1 + permutations)."""
        return permute(self.exchangeable, self.is_real, n_permutations, rng, observed=True)

    def too_few_permutations(self) -> str | None:
        """Say that the sides can be dealt anew in so few ways that no p-value is worth its name, if so."""
        from scipy.special import gammaln

        classes = self.exchangeable
        size, real = np.bincount(classes), np.bincount(classes, self.is_real)
        ways = float(
            np.exp((gammaln(size + 1) - gammaln(real + 1) - gammaln(size - real + 1)).sum().clip(max=50))
        )
        if ways >= MIN_PERMUTATIONS - 0.5:
            return None
        return (
            f"units of the same task, arm or scenario can be dealt to the sides in {ways:.0f} ways alone; a p-value "
            f"needs at least {MIN_PERMUTATIONS}"
        )


def numbered_units(corpus: Corpus, more: Sequence[Sequence[Key]] | None = None) -> IntArray:
    """Number the resampling unit of each row; shape (rows,).

    That of the corpus, and one for whatever a side repeats word for word: a conversation four times over is not four.

    Args:
        corpus: One side.
        more: What else links a row to others, by row.
    """
    repeated = duplicate_groups(corpus.user_texts)
    keys = [
        (Key("unit", unit), Key("text", str(text)), *linking)
        for unit, text, linking in zip(corpus.units, repeated, more or [()] * len(corpus), strict=True)
    ]
    unit_of = np.empty(len(keys), np.int64)
    unit_of[corpus.by_contents] = linked([keys[row] for row in corpus.by_contents])
    return unit_of


def _units(corpus: Corpus, group: IntArray, shared: IntArray) -> tuple[IntArray, npt.NDArray[np.object_]]:
    """Return the unit of each row, and the strata that each unit met.

    All of a scenario that the other side did not meet is one unit: trials of one task there are as little independent
    as a user's conversations. Within a scenario that both met, units are dealt anew.
    """
    alone = ~np.isin(group, shared)
    unit_of = numbered_units(
        corpus,
        [
            (Key("task", str(scenario)),) if one_sided else ()
            for scenario, one_sided in zip(group, alone, strict=True)
        ],
    )
    seen: list[set[str]] = [set() for _ in range(int(unit_of.max(initial=-1)) + 1)]
    for unit, stratum in zip(unit_of, corpus.strata, strict=True):
        seen[unit].add(stratum)
    labels = np.asarray([" + ".join(sorted(strata)) for strata in seen], object)
    return unit_of, labels


def _shared_scenarios(groups: Sequence[IntArray], shared: IntArray, *sides: Side) -> IntArray:
    """Return by unit the group of its rows where both sides have it, else -1."""
    of_units = [np.empty(side.n_units, np.int64) for side in sides]
    for of_unit, side, group in zip(of_units, sides, groups, strict=True):
        of_unit[side.unit_of] = group
    both = np.concatenate(of_units)
    return np.where(np.isin(both, shared), both, -1)


MAX_WEIGHTS = 1 << 25
"""Weights that are computed with at a time: all of a thousand replicates up to 33,000 units."""


def in_blocks(weights: Weights, most: int = MAX_WEIGHTS) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the replicates, as many at a time as have ``most`` weights; shape (units, some replicates)."""
    size = max(1, most // max(1, len(weights)))
    for start in range(0, weights.shape[1], size):
        yield weights[:, start : start + size].astype(np.float32, copy=False)


def weighed(by_unit: csr_matrix | FloatArray | IntArray, weights: Weights) -> FloatArray:
    """Add up the units of each replicate: the product of something by unit, shape (…, units), and weights.

    Returns:
        Shape (…, replicates).
    """
    parts = [np.asarray(by_unit @ some, np.float64) for some in in_blocks(weights)]
    return np.concatenate(parts, axis=-1)


DRAWN_AT_ONCE = 16_384
"""Units drawn, or counted, by one call: these fit the cache, and a call for each replicate costs more than it draws."""
MAX_TURNED = 1 << 23
"""Numbers that are turned from replicates by unit into units by replicate at a time."""


def draw(strata: IntArray, sizes: Sequence[int] | IntArray, n_replicates: int, rng: Generator) -> Weights:
    """Draw ``sizes[s]`` units with replacement from each stratum s; shape (units, replicates)."""
    weights: Weights = np.zeros((len(strata), n_replicates), np.uint8)
    for stratum, size in enumerate(sizes):
        members = np.flatnonzero(strata == stratum)
        if not len(members) or not size:
            continue
        at_once = max(1, DRAWN_AT_ONCE // max(int(size), len(members)))
        written = max(at_once, MAX_TURNED // len(members) // at_once * at_once)
        for first in range(0, n_replicates, written):
            counts = np.empty((min(written, n_replicates - first), len(members)), np.uint32)
            for some in (counts[start : start + at_once] for start in range(0, len(counts), at_once)):
                drawn = rng.integers(0, len(members), size=(len(some), int(size)))
                drawn += len(members) * np.arange(len(some))[:, None]  # each replicate counts apart
                some[:] = np.bincount(drawn.ravel(), minlength=some.size).reshape(some.shape)
            weights = _wide_enough(weights, int(counts.max(initial=0)))
            weights[members, first : first + len(counts)] = counts.T
    return weights


def _wide_enough(weights: Weights, largest: int) -> Weights:
    """Return the weights as numbers among which there is room for the largest."""
    return weights.astype(np.promote_types(weights.dtype, np.min_scalar_type(largest)), copy=False)


def draw_units(n_units: int, n_replicates: int, rng: Generator) -> Weights:
    """Draw as many units as there are with replacement, without strata; shape (units, replicates)."""
    return draw(np.zeros(n_units, np.int64), [n_units], n_replicates, rng).astype(np.float32)


def bootstrap(side: Side, n_replicates: int, rng: Generator) -> Weights:
    """Draw each stratum's own number of units with replacement."""
    return draw(side.stratum_of, np.bincount(side.stratum_of), n_replicates, rng)


def bootstrap_at_size(side: Side, n_units: int, n_replicates: int, rng: Generator) -> Weights:
    """Draw ``n_units`` units with replacement, in the side's own proportions of strata."""
    exact = np.bincount(side.stratum_of) * (n_units / side.n_units)
    sizes = np.floor(exact).astype(np.int64)
    largest_remainders = np.argsort(sizes - exact, kind="stable")[: n_units - int(sizes.sum())]
    sizes[largest_remainders] += 1
    return draw(side.stratum_of, sizes, n_replicates, rng)


def permute(
    strata: IntArray, is_real: BoolArray, n_replicates: int, rng: Generator, *, observed: bool = False
) -> Weights:
    """Deal the side of whole units anew within strata; 1 where a unit now counts as real.

    H0: within each stratum, units are exchangeable between the sides.

    Args:
        strata: Shape (units,).
        is_real: Shape (units,).
        n_replicates: How often they are dealt.
        rng: Deals them.
        observed: Put the sides as they are before the first dealing.
    """
    weights = np.empty((len(strata), observed + n_replicates), np.uint8)
    if observed:
        weights[:, 0] = is_real
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        size = max(1, MAX_TURNED // len(members))
        for start in range(0, n_replicates, size):
            labels = np.tile(is_real[members].astype(np.uint8), (min(size, n_replicates - start), 1))
            rng.permuted(labels, axis=1, out=labels)
            weights[members, observed + start : observed + start + len(labels)] = labels.T
    return weights


MAX_NUMBERS = 4_000_000
"""Counts and weights held at a time; bounds memory at any number of columns and units."""
Computed = Mapping[str, "FloatArray"]
"""Statistics by name, each of shape (1 + resamples, …)."""


def resampled(
    counts: csr_matrix, statistics: Callable[[FloatArray], Computed], n_resamples: int, rng: Generator
) -> Computed:
    """Compute statistics of what was observed (row 0) and of units drawn anew with replacement.

    Args:
        counts: Shape (columns, units).
        statistics: Maps counts of shape (r, columns) to statistics of shape (r, …).
        n_resamples: How often units are drawn.
        rng: Draws them.
    """
    n_columns, n_units = counts.shape
    size = max(1, MAX_NUMBERS // max(n_columns, n_units))
    found = [statistics(np.asarray(counts @ np.ones((n_units, 1))).T)]
    for start in range(0, n_resamples, size):
        weights = draw_units(n_units, min(size, n_resamples - start), rng)
        found.append(statistics(np.asarray(counts @ weights.astype(np.float64)).T))
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


N_RESAMPLES = 999
MIN_RATERS = 3
MIN_TRIALS = 8


class Mark(NamedTuple):
    """One answer as a number, with its rater, its trial and its group."""

    rater: int
    trial: int
    group: int
    value: bool


def crossed_interval(marks: Sequence[Mark], *, seed: int) -> Interval | None:
    """In which interval would the mean of the groups' means lie with other raters and other trials?

    Raters and trials are crossed: each answer belongs to one of both, and both are drawn with replacement, an answer
    counting as often as its rater times as often as its trial. It holds when looked at once, not after each answer.

    Returns:
        The 95 % percentile interval; None under 3 raters or 8 trials, where drawing anew shows no spread.

    Source:
        Owen (2007), The pigeonhole bootstrap: errs to the wide side.
    """
    raters, of_rater = np.unique([mark.rater for mark in marks], return_inverse=True)
    trials, of_trial = np.unique([mark.trial for mark in marks], return_inverse=True)
    if len(raters) < MIN_RATERS or len(trials) < MIN_TRIALS:
        return None
    values = np.asarray([mark.value for mark in marks], np.float64)
    groups = np.asarray([mark.group for mark in marks])
    masks = [groups == group for group in np.unique(groups)]
    rng = generator(seed, "arena", "crossed")
    means = []
    for _ in range(N_RESAMPLES):
        rater_weights = draw_units(len(raters), 1, rng)[:, 0]
        trial_weights = draw_units(len(trials), 1, rng)[:, 0]
        weights = (rater_weights[of_rater] * trial_weights[of_trial]).astype(np.float64)
        totals = [weights[mask].sum() for mask in masks]
        if all(totals):
            means.append(
                np.mean([weights[m] @ values[m] / total for m, total in zip(masks, totals, strict=True)])
            )
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
