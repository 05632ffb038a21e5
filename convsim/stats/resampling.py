"""Bootstraps: whole units within strata, statistics of counts by unit, and crossed raters and conversations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from convsim.schema import Corpus, Interval, mix_differs
from convsim.schema.arrays import BoolArray, IntArray
from convsim.seeds import generator

if TYPE_CHECKING:
    from numpy.random import Generator
    from scipy.sparse import csr_matrix

    from convsim.schema.arrays import FloatArray

Weights = npt.NDArray[np.float32]
"""Shape (units, replicates): how often each unit was drawn in each replicate."""

MIN_UNITS_A_STRATUM = 5
"""Below this on either side a stratum is merged into the rest: a bootstrap of k units misses 1/k of the variance."""
REST = "all else"


@dataclass(frozen=True)
class Side:
    """The units of one side and the stratum of each."""

    unit_of: IntArray
    """Shape (conversations,): the unit of each conversation, 0 to ``n_units`` - 1."""
    stratum_of: IntArray
    """Shape (units,): the stratum of each unit, an index into the design's ``strata``."""

    @property
    def n_units(self) -> int:
        """How many independent units there are."""
        return len(self.stratum_of)


@dataclass(frozen=True)
class Design:
    """Two sides whose units share one list of strata."""

    real: Side
    simulated: Side
    strata: tuple[str, ...]
    same_mix: bool
    """Whether both sides hold the strata in like proportions."""

    @classmethod
    def of(cls, real: Corpus, simulated: Corpus) -> Design:
        """Find units and strata; a user who met several arms or tasks forms a stratum with others like it."""
        sides = [_units(real), _units(simulated)]
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
        return cls(real_side, simulated_side, strata, same_mix)

    @property
    def exchangeable(self) -> IntArray:
        """Shape (real + simulated units,): among which units the null deals sides; the real units stand first.

        Within strata where the mix is alike. Where it is not, the pooled distance holds the difference of the mix,
        which counts as difference: then H0 is equality of the pooled distributions, and all units are exchangeable.
        """
        strata = np.concatenate([self.real.stratum_of, self.simulated.stratum_of])
        return strata if self.same_mix else np.zeros_like(strata)


def _units(corpus: Corpus) -> tuple[IntArray, npt.NDArray[np.object_]]:
    names, unit_of = np.unique(corpus.units.astype(str), return_inverse=True)
    seen: list[set[str]] = [set() for _ in names]
    for unit, stratum in zip(unit_of, corpus.strata, strict=True):
        seen[unit].add(stratum)
    labels = np.asarray([" + ".join(sorted(strata)) for strata in seen], object)
    return unit_of.astype(np.int64), labels


def draw(strata: IntArray, sizes: Sequence[int] | IntArray, n_replicates: int, rng: Generator) -> Weights:
    """Draw ``sizes[s]`` units with replacement from each stratum s; shape (units, replicates)."""
    weights = np.zeros((len(strata), n_replicates), np.float32)
    for stratum, size in enumerate(sizes):
        members = np.flatnonzero(strata == stratum)
        if not len(members) or not size:
            continue
        counts = np.empty((n_replicates, len(members)), np.float32)
        for replicate in counts:  # one replicate's counts fit the cache; all at once do not
            replicate[:] = np.bincount(rng.integers(0, len(members), size=int(size)), minlength=len(members))
        weights[members] = counts.T
    return weights


def draw_units(n_units: int, n_replicates: int, rng: Generator) -> Weights:
    """Draw as many units as there are with replacement, without strata; shape (units, replicates)."""
    return draw(np.zeros(n_units, np.int64), [n_units], n_replicates, rng)


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


def permute(strata: IntArray, is_real: BoolArray, n_replicates: int, rng: Generator) -> Weights:
    """Deal the side of whole units anew within strata; 1 where a unit now counts as real.

    H0: within each stratum, units are exchangeable between the sides.
    """
    weights = np.empty((len(strata), n_replicates), np.float32)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        labels = np.tile(is_real[members].astype(np.float32), (n_replicates, 1))
        weights[members] = rng.permuted(labels, axis=1).T
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
