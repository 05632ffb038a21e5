"""Users or personas of both sides as they are, whatever they repeat, and one conversation of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray, IntArray
from convsim.stats.resampling import Design

if TYPE_CHECKING:
    from numpy.random import Generator


class OwnUnits(NamedTuple):
    """Units of both sides: a user or persona, even where a design counts those who said the same as one.

    That they said the same is what is asked of how varied a crowd is.
    """

    unit_of: IntArray
    """Shape (rows,): the unit of each conversation, the real ones first."""
    is_real: BoolArray
    """Shape (units,)."""
    exchangeable: IntArray
    """Shape (units,): among which others a unit may change sides under the null."""

    @classmethod
    def of(cls, real: Corpus, simulated: Corpus, design: Design) -> OwnUnits:
        """Number the units; which of them are exchangeable comes from the sides' design."""
        design_unit_of = np.concatenate([design.real.unit_of, design.simulated.unit_of + design.real.n_units])
        class_of = design.exchangeable[design_unit_of]
        names = [*(f"r{unit}" for unit in real.units), *(f"s{unit}" for unit in simulated.units)]
        units, unit_of = np.unique(names, return_inverse=True)
        classes: list[set[int]] = [set() for _ in units]
        for unit, number in zip(unit_of, class_of, strict=True):
            classes[unit].add(int(number))
        exchangeable = np.unique([str(sorted(each)) for each in classes], return_inverse=True)[1]
        is_real = np.char.startswith(units, "r")
        return cls(unit_of.astype(np.int64), is_real, exchangeable.astype(np.int64))

    def renumbered(self, number: IntArray) -> OwnUnits:
        """Give each unit another number; shape (units,), each of them once."""
        order = np.argsort(number)
        return OwnUnits(number[self.unit_of], self.is_real[order], self.exchangeable[order])


def one_of_each_unit(
    texts: Sequence[str], unit_of: IntArray, rng: Generator, *, n_picks: int = 1
) -> list[IntArray]:
    """Return rows, one of each unit, in the order of units; once where no unit has several, else ``n_picks`` times.

    A side whose units have more conversations has more neighbours, whoever says what: so each counts once. Of one pick
    dealings of the sides are exchangeable whatever units have; what is averaged over several has another precision
    where units have several conversations than where they have one.
    """
    by_unit = np.lexsort((np.argsort(np.argsort(texts, kind="stable")), unit_of))
    starts, sizes = np.unique(unit_of[by_unit], return_index=True, return_counts=True)[1:]
    times = n_picks if sizes.max(initial=1) > 1 else 1
    return [by_unit[starts + rng.integers(0, sizes)] for _ in range(times)]


def two_of_each_unit(unit_of: IntArray, rng: Generator) -> IntArray:
    """Return the rows of two conversations of each unit that has as many, for what is compared within units.

    Whoever has more would be measured with another precision than whoever has two, and dealings would mix them.
    """
    order = rng.permutation(len(unit_of))
    by_unit = order[np.argsort(unit_of[order], kind="stable")]
    starts, sizes = np.unique(unit_of[by_unit], return_index=True, return_counts=True)[1:]
    place = np.arange(len(by_unit)) - np.repeat(starts, sizes)
    return np.sort(by_unit[(place < 2) & np.repeat(sizes > 1, sizes)])
