"""Real and simulated conversations as one list of rows, and which of them hang together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, IntArray
from convsim.seeds import generator
from convsim.stats.discriminator import Rows
from convsim.stats.resampling import Design
from convsim.stats.units import Key, fold_keys, folded_texts, linked, too_large

if TYPE_CHECKING:
    from convsim.stats.discriminator import Features

MIN_UNITS = 10
"""Fewer resampling units on either side train no classifier: five folds need two of each."""
MIN_TO_ALIGN = 60
"""Of either side: fewer teach a classifier too little for its failing to be taken for likeness."""


@dataclass(frozen=True)
class Sides:
    """The real rows, then the simulated ones; each side in an order of its contents, whatever the file's."""

    real: Corpus
    simulated: Corpus

    @classmethod
    def of(cls, real: Corpus, simulated: Corpus) -> Sides:
        """Order both sides by what is said in them, so that the order of lines in a file moves nothing."""
        return cls(real.take(real.by_contents), simulated.take(simulated.by_contents))

    def keep(self, rows: BoolArray) -> Sides:
        """Return the sides with only the rows named, shape (real + simulated,)."""
        if rows.all():
            return self
        n_real = len(self.real)
        real, simulated = np.flatnonzero(rows[:n_real]), np.flatnonzero(rows[n_real:])
        return Sides(self.real.take(real), self.simulated.take(simulated))

    @property
    def n_units(self) -> tuple[int, int]:
        """Independent groups of each side."""
        return len(np.unique(self.group[self.is_human])), len(np.unique(self.group[~self.is_human]))

    def too_few(self, what: str) -> str | None:
        """Say that too few resampling units ``what`` (a verb) to test anything, if so."""
        real, simulated = self.design.real.n_units, self.design.simulated.n_units
        if min(real, simulated) >= MIN_UNITS:
            return None
        return (
            f"{real} real and {simulated} simulated users, personas or conversations {what}; at least {MIN_UNITS} on "
            "each side are needed to train a classifier"
        )

    def not_divisible(self) -> str | None:
        """Say why the rows cannot be dealt to folds, if so: one group is too large, or they are too few."""
        real, simulated = self.n_units
        if large := too_large(self.keys, self.group, len(self.real)):
            return large
        if min(real, simulated) >= MIN_UNITS:
            return None
        return (
            f"{real} real and {simulated} simulated groups of conversations have no user, scenario or text in common; "
            f"at least {MIN_UNITS} on each side are needed to train a classifier"
        )

    @cached_property
    def is_human(self) -> BoolArray:
        """Shape (rows,)."""
        return np.arange(len(self.real) + len(self.simulated)) < len(self.real)

    @cached_property
    def keys(self) -> Sequence[tuple[Key, ...]]:
        """What each row has in common with others."""
        return fold_keys(self.real, self.simulated)

    @cached_property
    def group(self) -> IntArray:
        """Shape (rows,): what stays in one fold, since a user, a shared scenario or a text links it."""
        return linked(self.keys)

    @cached_property
    def n_shared_texts(self) -> tuple[int, int]:
        """How many conversations of each side have a text that the other side has too."""
        real, simulated = folded_texts(self.real), folded_texts(self.simulated)
        shared = set(real) & set(simulated)
        return sum(text in shared for text in real), sum(text in shared for text in simulated)

    @cached_property
    def stratum(self) -> IntArray:
        """Shape (rows,): twice the number of the task and arm, plus 1 on the human side."""
        strata = np.concatenate([self.real.strata, self.simulated.strata]).astype(str)
        return np.unique(strata, return_inverse=True)[1].astype(np.int64) * 2 + self.is_human

    @cached_property
    def unit_of(self) -> IntArray:
        """Shape (rows,): the resampling unit of each row, as ``design`` numbers them; the real ones stand first."""
        return np.concatenate(
            [self.design.real.unit_of, self.design.real.n_units + self.design.simulated.unit_of]
        )

    @cached_property
    def design(self) -> Design:
        """Resampling units, and among which of them the null deals sides."""
        return Design.of(self.real, self.simulated)

    def rows(self, features: Features) -> Rows:
        """Put features of both sides' rows together with what keeps folds honest."""
        return Rows(features, self.is_human, self.group, self.stratum)

    def controls(self, rows: Rows, *, n_splits: int, seed: int) -> tuple[list[Rows], Rows]:
        """Return the human baseline's rows, and those of the first half against as many simulated units.

        Each split has rows of two disjoint groups of human units, the second labelled as simulated.
        """
        splits = []
        for split in range(n_splits):
            rng = generator(seed, "control", split)
            human, simulated = (
                rng.permutation(np.unique(self.group[side])) for side in (self.is_human, ~self.is_human)
            )
            n = min(len(human) // 2, len(simulated))
            first = self.is_human & np.isin(self.group, human[:n])
            second = self.is_human & np.isin(self.group, human[n : 2 * n])
            control = rows.take(first | second)
            labels = first[first | second]
            splits.append(Rows(control.features, labels, control.group, control.stratum // 2 * 2 + labels))
            if split == 0:
                against = rows.take(first | ~self.is_human & np.isin(self.group, simulated[:n]))
        return splits, against
