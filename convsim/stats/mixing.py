"""Mixtures of groups of conversations held against people: how far apart, and which weights bring them nearer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.seeds import generator
from convsim.stats.balancing import balanced
from convsim.stats.contrasts import Contrast, Contrasts, location_score, spread_score
from convsim.stats.ecdf import Cells, cut_points
from convsim.stats.joint_equivalence import JOINT_MARGIN, SPREAD_MARGIN, Joint, metric_weights
from convsim.stats.resampling import MIN_UNITS_A_STRATUM

STRENGTHS = (np.inf, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
"""How much a unit of divergence may cost in squared distance; cross-validation chooses."""
SPREAD_SCALE = JOINT_MARGIN / SPREAD_MARGIN
"""Spread counts on the scale on which its margin is that of location."""
PEOPLE_A_WEIGHT = 8
"""With so many people for each weight, weights are hardly held back."""
N_SPLITS = 5
"""Random halvings of the learning half, each used both ways."""
N_RANKINGS = 4
"""Ranks depend on the mixture, and are computed anew with the weights found."""


@dataclass(frozen=True)
class Rows:
    """Conversations of one side."""

    values: FloatArray
    """Shape (rows, metrics); NaN where undefined."""
    unit_of: IntArray
    """Shape (rows,): what each hangs together with."""
    group_of: IntArray
    """Shape (rows,): what weights are of; all 0 on the side of people."""

    def take(self, rows: IntArray | BoolArray) -> Rows:
        """Return the rows named, their units numbered anew."""
        units = np.unique(self.unit_of[rows], return_inverse=True)[1].astype(np.int64)
        return Rows(self.values[rows], units, self.group_of[rows])


@dataclass(frozen=True)
class Scores:
    """The scores of every conversation at fixed ranks, location of all metrics and then spread; NaN where undefined."""

    real: FloatArray
    simulated: FloatArray

    def gaps(self, group_of: IntArray, n_groups: int, at: FloatArray, real: FloatArray) -> FloatArray:
        """Return what each group adds to the mixture's distance from ``real``; shape (features, groups).

        A metric that few conversations of a group have counts in it by these few: ``at`` are the weights at which the
        share of all that have it is taken.
        """
        from scipy.sparse import csr_matrix

        people = _mean(real)
        own = np.nan_to_num(self.simulated - people)
        defined = ~np.isnan(self.simulated)
        sizes = np.bincount(group_of, minlength=n_groups).astype(np.float64)
        mean = csr_matrix(
            (1 / sizes[group_of], (group_of, np.arange(len(group_of)))), shape=(n_groups, len(group_of))
        )
        share = at @ (mean @ defined.astype(np.float64))
        gaps = np.asarray(mean @ own, np.float64)
        return np.asarray(np.divide(gaps, share, out=np.zeros_like(gaps), where=share > 0).T)


@dataclass(frozen=True)
class Mixing:
    """People and the groups of conversations that can be mixed, on the same metrics."""

    names: tuple[str, ...]
    real: Rows
    simulated: Rows
    n_groups: int

    @cached_property
    def sizes(self) -> FloatArray:
        """Conversations of each group."""
        return np.bincount(self.simulated.group_of, minlength=self.n_groups).astype(np.float64)

    def row_weights(self, weights: FloatArray) -> FloatArray:
        """Return the weight of each conversation; they add up to 1, and those of a group are equal."""
        return np.asarray((weights / np.maximum(self.sizes, 1))[self.simulated.group_of])

    def contrasts(self, weights: FloatArray) -> Contrasts:
        """Hold the mixture against people; the weights of groups are taken as given."""
        rows = self.row_weights(weights)
        by_metric = {name: Contrast.of(*self._cells(k, rows)) for k, name in enumerate(self.names)}
        n_real = int(self.real.unit_of.max(initial=-1)) + 1
        return Contrasts(self.names, by_metric, (np.zeros(n_real, np.int64), self._strata))

    def joint(self, weights: FloatArray, of_metrics: FloatArray) -> Joint:
        """Return the joint distance of the mixture from people, metrics weighted as stated."""
        return joint_of(self.contrasts(weights), of_metrics)

    def metric_weights(self) -> FloatArray:
        """Return the weights of metrics at the equal mixture, so that all mixtures are measured alike."""
        return metric_weights(self.contrasts(np.full(self.n_groups, 1 / self.n_groups)))

    def scores(self, weights: FloatArray, of_metrics: FloatArray) -> Scores:
        """Score every conversation at the ranks of people and this mixture, half of each."""
        rows = self.row_weights(weights)
        root = np.sqrt(of_metrics / 2)
        k, n = len(self.names), (len(self.real.values), len(self.simulated.values))
        found = [np.full((each, 2 * k), np.nan) for each in n]
        for column in range(k):
            real, simulated = self._cells(column, rows)
            shares = [cells.counts / cells.counts.sum() for cells in (real, simulated)]
            ranks = sum(np.cumsum(share) - share / 2 for share in shares) / 2
            cuts = self._cuts[column]
            for side, into in zip((self.real, self.simulated), found, strict=True):
                values = side.values[:, column]
                kept = ~np.isnan(values)
                at = ranks[np.searchsorted(cuts, values[kept])]
                into[kept, column] = root[column] * location_score(at)
                into[kept, k + column] = root[column] * SPREAD_SCALE * spread_score(at)
        return Scores(*found)

    @cached_property
    def _cuts(self) -> list[FloatArray]:
        columns = zip(self.real.values.T, self.simulated.values.T, strict=True)
        return [cut_points(both[~np.isnan(both)]) for both in map(np.concatenate, columns)]

    def _cells(self, column: int, rows: FloatArray) -> tuple[Cells, Cells]:
        from scipy.sparse import csr_matrix

        cuts, cells = self._cuts[column], []
        for side, weights in ((self.real, np.ones(len(self.real.values))), (self.simulated, rows)):
            values = side.values[:, column]
            kept = ~np.isnan(values)
            at = np.searchsorted(cuts, values[kept])
            shape = (len(cuts), int(side.unit_of.max(initial=-1)) + 1)
            cells.append(Cells(csr_matrix((weights[kept], (at, side.unit_of[kept])), shape=shape)))
        return cells[0], cells[1]

    @cached_property
    def _strata(self) -> IntArray:
        """Shape (units,): units of the same groups are a stratum, as each group's weight is given; few are merged."""
        groups: dict[int, set[int]] = defaultdict(set)
        for unit, group in zip(
            self.simulated.unit_of.tolist(), self.simulated.group_of.tolist(), strict=True
        ):
            groups[unit].add(group)
        labels = [tuple(sorted(groups[unit])) for unit in range(len(groups))]
        number = {label: index for index, label in enumerate(dict.fromkeys(labels))}
        stratum = np.asarray([number[label] for label in labels], np.int64)
        few = np.bincount(stratum) < MIN_UNITS_A_STRATUM
        merged = np.where(few[stratum], len(number), stratum)
        return np.unique(merged, return_inverse=True)[1].astype(np.int64)


def scales(n_metrics: int) -> FloatArray:
    """Return what deltas and spreads are multiplied by so that their margins are one; shape (2 * metrics,)."""
    return np.repeat([1.0, SPREAD_SCALE], n_metrics)


def joint_of(contrasts: Contrasts, of_metrics: FloatArray) -> Joint:
    """Join location and spread: the root of the mean of both squares, each on the scale of the margin of location.

    Args:
        contrasts: Of a mixture and people.
        of_metrics: Shape (metrics,): adding up to 1.
    """
    scale = scales(len(of_metrics))
    return Joint(
        contrasts.estimates * scale,
        contrasts.covariance * np.outer(scale, scale),
        np.tile(of_metrics, 2) / 2,
    )


@dataclass(frozen=True)
class Learned:
    """Weights that were learned, and how far they were let move."""

    weights: FloatArray
    strength: float
    """The price of divergence."""


def learned_weights(
    mixing: Mixing, base: FloatArray, *, seed: int, strengths: Sequence[float] | None = None
) -> Learned:
    """Which weights of groups bring their mixture nearest to people whom it has not seen?

    The squared joint distance plus a price for diverging from ``base`` is minimised; the price is the dearest that is
    within a standard error of the nearest in cross-validation: people (by unit) and the conversations of each group are
    halved at random, weights are learned on one half of both and judged on the other, and the sampling variance of the
    judged mixture is taken off, so that a small group is not held to be far for being small. A handful of weights
    beside many people cannot follow chance far: there divergence costs as good as nothing, and cross-validation would
    only add its own error.

    Args:
        mixing: The learning halves of people and of conversations.
        base: Shape (groups,): the weights that cost nothing.
        seed: Moves the halvings.
        strengths: The prices tried, the dearest first; chosen by the number of groups where it is None.
    """
    n_people = int(mixing.real.unit_of.max()) + 1
    if strengths is None:
        strengths = STRENGTHS[-1:] if mixing.n_groups * PEOPLE_A_WEIGHT <= n_people else STRENGTHS
    of_metrics = mixing.metric_weights()
    reference = mixing.scores(base, of_metrics)
    rng = generator(seed, "tune", "strength")
    judged: list[FloatArray] = []
    for _ in range(N_SPLITS if len(strengths) > 1 else 0):
        people = rng.permutation(n_people)[mixing.real.unit_of] % 2
        parts = _halves_of_groups(mixing.simulated.group_of, rng)
        for learn in (0, 1):
            judged.append(_judged(mixing, reference, base, (people == learn, parts == learn), strengths))
    strength = strengths[_dearest(np.stack(judged)) if judged else 0]
    weights = base
    for _ in range(N_RANKINGS):
        found = mixing.scores(weights, of_metrics)
        gaps = found.gaps(mixing.simulated.group_of, mixing.n_groups, weights, found.real)
        weights = balanced(gaps, base, strength=strength)
    return Learned(weights, float(strength))


def _dearest(judged: FloatArray) -> int:
    """Return the dearest strength that is not worse than the best by more than one standard error.

    Halvings of one sample are not independent of one another: with as many to judge on as to learn from, the variance
    of their mean is that of one times 1 + 1 / halvings.

    Source:
        Breiman et al. (1984), Classification and regression trees, section 3.4.3: the one-standard-error rule; Nadeau
        and Bengio (2003), Inference for the generalization error, section 3: the corrected variance.
    """
    best = int(np.argmin(judged.mean(axis=0)))
    worse = judged - judged[:, [best]]
    error = worse.std(axis=0, ddof=1) * np.sqrt(1 + 1 / len(judged))
    return int(np.flatnonzero(worse.mean(axis=0) <= error)[0])


def _halves_of_groups(group_of: IntArray, rng: np.random.Generator) -> IntArray:
    """Halve the conversations of each group at random; the odd one goes to either half."""
    parts = np.empty(len(group_of), np.int64)
    for group in np.unique(group_of):
        rows = rng.permutation(np.flatnonzero(group_of == group))
        parts[rows] = (np.arange(len(rows)) + rng.integers(2)) % 2
    return parts


def _judged(
    mixing: Mixing,
    scores: Scores,
    base: FloatArray,
    learn: tuple[BoolArray, BoolArray],
    strengths: Sequence[float],
) -> FloatArray:
    """Return the squared distance on the other halves of what each strength learns on these; shape (strengths,)."""
    group_of = mixing.simulated.group_of
    counts = [np.bincount(group_of[part], minlength=mixing.n_groups) for part in (learn[1], ~learn[1])]
    both = (counts[0] > 0) & (counts[1] > 0)
    if not both.any():
        return np.zeros(len(strengths))
    number = np.cumsum(both) - 1
    at = base[both] / base[both].sum()
    halves = []
    for people, rows in ((learn[0], learn[1]), (~learn[0], ~learn[1])):
        kept = rows & both[group_of]
        part, groups = Scores(scores.real[people], scores.simulated[kept]), number[group_of[kept]]
        halves.append((part, groups, part.gaps(groups, int(both.sum()), at, part.real)))
    judged, groups, gaps = halves[1]
    noise = _noise(judged.simulated, groups, int(both.sum()))
    found = []
    for strength in strengths:
        weights = balanced(halves[0][2], at, strength=strength)
        found.append(float(((gaps @ weights) ** 2).sum()) - float(weights**2 @ noise))
    return np.asarray(found)


def _mean(scores: FloatArray) -> FloatArray:
    """Return the mean of each column's defined values; 0 where there is none."""
    defined = ~np.isnan(scores)
    n = defined.sum(axis=0)
    sums = np.where(defined, scores, 0.0).sum(axis=0)
    return np.asarray(np.divide(sums, n, out=np.zeros(len(n)), where=n > 0))


def _noise(scores: FloatArray, group_of: IntArray, n_groups: int) -> FloatArray:
    """Return the variance of each group's mean score, all features together; that of a single row is the others'."""
    filled = np.where(np.isnan(scores), _mean(scores), scores)
    sizes = np.bincount(group_of, minlength=n_groups)
    means = np.zeros((n_groups, filled.shape[1]))
    np.add.at(means, group_of, filled)
    means /= sizes[:, None]
    squares = np.bincount(group_of, ((filled - means[group_of]) ** 2).sum(axis=1), minlength=n_groups)
    freedom = float(np.maximum(sizes - 1, 0).sum())
    pooled = float(squares.sum()) / freedom if freedom else float(filled.var(axis=0).sum())
    own = np.divide(squares, sizes - 1, out=np.full(n_groups, pooled), where=sizes > MIN_UNITS_A_STRATUM)
    return np.asarray(own / sizes)
