"""Both sides as points of one crowd: a conversation of each unit, where it lies, and what it repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import FloatArray, IntArray
from convsim.schema.conversation import Conversation
from convsim.seeds import child_seed, generator
from convsim.stats.cluster_divergence import clusters, number_of_clusters
from convsim.stats.manifolds import Distances, Space
from convsim.stats.neighbours import MIN_TOKENS, similarities, vectors
from convsim.stats.own_units import OwnUnits, one_of_each_unit, two_of_each_unit
from convsim.stats.resampling import Design
from convsim.stats.units import folded
from convsim.stats.within_units import Repeated

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TWIN = 0.6
"""Similarity of two texts from which one nearly repeats the other: a word a message may be another. Among people of
three real logs the nearest other user lay at .58 at most."""
MIN_SPREAD = 1e-6
"""Points no further apart than this are one."""


@dataclass(frozen=True)
class Habits:
    """Conversations' habits as numbers that can be compared with each other."""

    scored: tuple[str, ...]
    """What each column is of: a metric, or whether it is undefined; none is constant."""
    values: FloatArray
    """Shape (units, columns): as measured, NaN where undefined; of whether it is undefined, 0 or 1."""
    scores: FloatArray
    """Shape (units, columns): normal scores."""

    @classmethod
    def of(cls, names: Sequence[str], values: FloatArray) -> Habits:
        """Put habits on one scale.

        Values become the normal scores of their ranks in both sides together. By people's mean and standard deviation a
        rare habit of few would be all that distances are made of; and a scale that knows the sides is no longer
        that of sides dealt anew. An undefined value lies in the middle, and whether it is undefined is a column of
        its own.

        Args:
            names: Of the metrics.
            values: Shape (units, metrics), NaN where undefined.
        """
        from scipy.stats import norm, rankdata

        columns: dict[str, tuple[FloatArray, FloatArray]] = {}
        for name, column in zip(names, values.T, strict=True):
            undefined = np.isnan(column)
            known = column[~undefined]
            if len(known) and np.ptp(known) > 0:
                score = np.zeros(len(column))
                score[~undefined] = norm.ppf((rankdata(known) - 0.5) / len(known))
                columns[name] = column, score
            if undefined.any() and len(known):
                rank = norm.ppf((rankdata(undefined) - 0.5) / len(column))
                columns[f"{name} undefined"] = undefined.astype(np.float64), rank
        nothing = np.zeros((len(values), 0))
        stacked = [np.column_stack(each) for each in zip(*columns.values(), strict=True)] or [
            nothing,
            nothing,
        ]
        return cls(tuple(columns), *stacked)

    @property
    def space(self) -> Space | None:
        """Euclidean distances of the scores; None where no habit varies."""
        if not self.scored:
            return None
        scores = self.scores.astype(np.float32)
        squares = (scores**2).sum(axis=1)
        distance = squares[:, None] + squares[None, :] - 2 * (scores @ scores.T)
        return Space.of(np.sqrt(distance.clip(min=0)).astype(np.float32))


@dataclass(frozen=True)
class Texts:
    """What the units say, pair by pair."""

    space: Space | None
    """None where all say the same."""
    squared_similarity: Distances
    """Shape (units, units), single precision."""
    twins: csr_matrix
    """Shape (units, units): 1 where two nearly repeat one another; short texts, where they are the same."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Texts:
        """Compare all texts with each other; memory grows with their square."""
        from scipy.sparse import csr_matrix

        weighed = vectors(texts)
        n = len(texts)
        similarity = np.empty((n, n), np.float32)
        for start, block in similarities(weighed, weighed):
            similarity[start : start + len(block)] = block.clip(0, 1)
        silent = weighed.n_tokens == 0
        similarity[np.ix_(silent, silent)] = 1  # nothing said is the same as nothing said
        space = (
            Space.of(np.asarray(1 - similarity, np.float32)) if similarity.min() < 1 - MIN_SPREAD else None
        )
        unit, place, near = (np.zeros(0, np.int64),) * 3
        if space is not None:
            found = np.take_along_axis(similarity, space.nearest, axis=1)
            long_enough = (weighed.n_tokens >= MIN_TOKENS)[:, None]
            unit, place = np.nonzero(np.where(long_enough, found >= TWIN, found >= 1 - MIN_SPREAD))
            near = space.nearest[unit, place]
        twins = csr_matrix((np.ones(len(unit), np.float32), (unit, near)), shape=(n, n))
        return cls(space, np.square(similarity, out=similarity), twins)


@dataclass(frozen=True)
class Points:
    """Both sides with one conversation of each unit; arrays run over units, in an order that tells nobody's side."""

    real: Corpus
    simulated: Corpus
    """Both ordered by what is said in them; the real rows stand first."""
    units: OwnUnits
    design: Design
    rows: IntArray
    """The conversation of each unit that was picked."""
    habits: Habits
    habit_space: Space | None
    texts: Texts
    opening_of: IntArray
    """Who begins with the same words shares a number."""
    cluster_of: IntArray
    """Of habits, found without regard to sides."""
    repeated: Repeated
    """The habits of two conversations of each unit that has several."""

    @classmethod
    def of(cls, real: Corpus, simulated: Corpus, *, seed: int) -> Points:
        """Order both sides by what is said in them, so that neither lines nor made-up ids move anything."""
        real, simulated = real.take(real.by_contents), simulated.take(simulated.by_contents)
        design = Design.of(real, simulated)
        units = _in_any_order(OwnUnits.of(real, simulated, design), seed)
        texts = [*real.user_texts, *simulated.user_texts]
        [rows] = one_of_each_unit(texts, units.unit_of, generator(seed, "diversity", "pick"))
        pairs = two_of_each_unit(units.unit_of, generator(seed, "diversity", "pairs"))
        names, values = _habits(real, simulated)
        habits = Habits.of(names, values[rows])
        cluster_of = np.zeros(len(rows), np.int64)
        if habits.scored:
            own_seed = child_seed(seed, "diversity", "clusters") % 2**32
            cluster_of = clusters(habits.scores, number_of_clusters(len(rows)), seed=own_seed)
        openings = [folded(opening) for opening in _openings(real, simulated)]
        return cls(
            real,
            simulated,
            units,
            design,
            rows,
            habits,
            habits.space,
            Texts.of([texts[row] for row in rows]),
            np.unique(openings, return_inverse=True)[1][rows],
            cluster_of,
            Repeated.of(values[pairs], units.unit_of[pairs], len(rows)),
        )

    @property
    def n_units(self) -> tuple[int, int]:
        """Users, personas or conversations of people, and of the simulator."""
        n_real = int(self.units.is_real.sum())
        return n_real, len(self.units.is_real) - n_real

    @property
    def n_clusters(self) -> int:
        """How many kinds of behaviour were found."""
        return int(self.cluster_of.max()) + 1

    def conversation(self, unit: int) -> Conversation:
        """Return the conversation that was picked of a unit."""
        row, n_real = int(self.rows[unit]), len(self.real)
        return self.real.conversations[row] if row < n_real else self.simulated.conversations[row - n_real]


def _in_any_order(units: OwnUnits, seed: int) -> OwnUnits:
    """Number units by their contents, then at random: ties between neighbours go by number, and must tell no side."""
    first = np.unique(units.unit_of, return_index=True)[1]
    by_contents = np.argsort(np.argsort(first))
    shuffled = generator(seed, "diversity", "order").permutation(len(first))
    return units.renumbered(shuffled[by_contents])


def _habits(real: Corpus, simulated: Corpus) -> tuple[list[str], FloatArray]:
    """Return names and values, shape (rows, metrics), of what is judged, measured on both sides, and from no label."""
    names, values = [], []
    for metric in real.metrics.values():
        if metric.role == "control" or metric.label or metric.name not in simulated.metrics:
            continue
        columns = [np.asarray(side.table[metric.name], np.float64) for side in (real, simulated)]
        if not any(np.isnan(column).all() for column in columns):
            names.append(metric.name)
            values.append(np.concatenate(columns))
    n_rows = len(real) + len(simulated)
    return names, np.column_stack(values) if values else np.zeros((n_rows, 0))


def _openings(real: Corpus, simulated: Corpus) -> list[str]:
    return [
        next((m.content for m in c.user_messages), "")
        for side in (real, simulated)
        for c in side.conversations
    ]
