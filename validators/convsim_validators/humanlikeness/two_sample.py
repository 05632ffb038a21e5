"""Real and simulated conversations as one list of rows, without the texts that occur on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, IntArray
from convsim.seeds import generator
from convsim.stats.discriminator import Rows
from convsim.stats.resampling import Design

if TYPE_CHECKING:
    from convsim.stats.discriminator import Features

MIN_UNITS = 10
"""Fewer independent units on either side decide nothing: five folds need two of each."""
ONE_SIDED_BY_CHANCE = 0.01
"""The chance, with no difference of the sides, above which copies of a text on one side are taken for chance."""


@dataclass(frozen=True)
class Sides:
    """The real rows, then the simulated ones."""

    real: Corpus
    simulated: Corpus
    n_shared: tuple[int, int]
    """How many conversations of each side were dropped because the other side has the same text."""

    @classmethod
    def without_shared_texts(cls, real: Corpus, simulated: Corpus) -> Sides:
        """Drop conversations whose user's side stands, but for case and white space, on both sides."""
        folded = [folded_texts(side) for side in (real, simulated)]
        shared = set(folded[0]) & set(folded[1])
        kept = [np.asarray([text not in shared for text in side], bool) for side in folded]
        return cls(
            real.take(np.flatnonzero(kept[0])),
            simulated.take(np.flatnonzero(kept[1])),
            (int((~kept[0]).sum()), int((~kept[1]).sum())),
        )

    def keep(self, rows: BoolArray) -> Sides:
        """Return the sides with only the rows named, shape (real + simulated,)."""
        n_real = len(self.real)
        real, simulated = np.flatnonzero(rows[:n_real]), np.flatnonzero(rows[n_real:])
        return Sides(self.real.take(real), self.simulated.take(simulated), self.n_shared)

    @property
    def n_units(self) -> tuple[int, int]:
        """Independent units of each side."""
        return len(np.unique(self.group[self.is_human])), len(np.unique(self.group[~self.is_human]))

    def too_few(self, what: str) -> str | None:
        """Say that too few units ``what`` (a verb) to fit anything, if so."""
        real, simulated = self.n_units
        if min(real, simulated) >= MIN_UNITS:
            return None
        return (
            f"{real} real and {simulated} simulated users or conversations {what}; at least {MIN_UNITS} on each side "
            "are needed to train a classifier"
        )

    @cached_property
    def is_human(self) -> BoolArray:
        """Shape (rows,)."""
        return np.arange(len(self.real) + len(self.simulated)) < len(self.real)

    @cached_property
    def group(self) -> IntArray:
        """Shape (rows,): a user, or a conversation, that occurs on both sides is one group.

        So are those who said the very same. Texts of both sides are dropped, so that a text that is left stands on
        one side only, be it by chance, and its second copy would be recognised by its first. Where chance hardly
        leaves so many copies on one side, the repetition is the simulator's habit, and its copies stay apart.
        """
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        units = np.concatenate([self.real.units, self.simulated.units]).astype(str)
        unit_of = np.unique(units, return_inverse=True)[1]
        text_of = np.unique([*folded_texts(self.real), *folded_texts(self.simulated)], return_inverse=True)[1]
        pairs, row = np.unique(np.column_stack([unit_of, text_of]), axis=0, return_index=True)
        if not len(pairs):
            return unit_of.astype(np.int64)
        n_units, n_texts = int(unit_of.max()) + 1, int(text_of.max()) + 1
        copies = np.bincount(pairs[:, 1], minlength=n_texts)
        share = np.where(self.is_human, self.is_human.mean(), 1 - self.is_human.mean())[row]
        by_chance = share ** (copies[pairs[:, 1]] - 1) > ONE_SIDED_BY_CHANCE
        linked = pairs[by_chance] + np.asarray([0, n_units])
        size = n_units + n_texts
        graph = coo_matrix((np.ones(len(linked), np.int8), (linked[:, 0], linked[:, 1])), shape=(size, size))
        component = connected_components(graph, directed=False)[1]
        return np.unique(component[unit_of], return_inverse=True)[1].astype(np.int64)

    @cached_property
    def stratum(self) -> IntArray:
        """Shape (rows,): twice the number of the task and arm, plus 1 on the human side."""
        strata = np.concatenate([self.real.strata, self.simulated.strata]).astype(str)
        return np.unique(strata, return_inverse=True)[1].astype(np.int64) * 2 + self.is_human

    @cached_property
    def exchangeable(self) -> IntArray:
        """Shape (rows,): among which rows the null deals sides (``Design.exchangeable``)."""
        design = Design.of(self.real, self.simulated)
        real, simulated = np.split(design.exchangeable, [design.real.n_units])
        return np.concatenate([real[design.real.unit_of], simulated[design.simulated.unit_of]])

    def rows(self, features: Features) -> Rows:
        """Put features of both sides' rows together with what keeps folds and permutations honest."""
        return Rows(features, self.is_human, self.group, self.stratum, self.exchangeable)

    def control(self, rows: Rows, *, seed: int) -> tuple[Rows, Rows, int]:
        """Make the human baseline's rows: people against people, and people against the simulator, at one size.

        Returns:
            Rows of two disjoint groups of human units, the second labelled as simulated; rows of one of these
            groups against as many simulated units; and the conversations a side, on average.
        """
        rng = generator(seed, "control")
        human, simulated = (
            rng.permutation(np.unique(self.group[side])) for side in (self.is_human, ~self.is_human)
        )
        n = min(len(human) // 2, len(simulated))
        first = self.is_human & np.isin(self.group, human[:n])
        second = self.is_human & np.isin(self.group, human[n : 2 * n])
        against = ~self.is_human & np.isin(self.group, simulated[:n])
        control = rows.take(first | second)
        labels = first[first | second]
        stratum = control.stratum // 2 * 2 + labels
        relabelled = Rows(control.features, labels, control.group, stratum, control.exchangeable)
        return relabelled, rows.take(first | against), round((first.sum() + second.sum()) / 2)


def folded_texts(side: Corpus) -> list[str]:
    """Return the user's side of each conversation without what case and white space say."""
    return [" ".join(text.casefold().split()) for text in side.user_texts]
