"""Of two simulators held against the same people, which lies further from them? Over all metrics, and in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import erfc, sqrt
from typing import NamedTuple

import numpy as np

from convsim.schema import Corpus
from convsim.schema.arrays import FloatArray, IntArray
from convsim.stats.contrasts import Contrast, Contrasts, sum_of_products
from convsim.stats.ecdf import cells_of_sides
from convsim.stats.joint_equivalence import metric_weights
from convsim.stats.resampling import Design
from convsim.stats.units import Key, linked


@dataclass(frozen=True)
class Moved:
    """By how much a mean square grew from the first simulator to the second; above 0: further from people."""

    before: float
    """The first simulator's mean square, its bias taken out; it may lie below 0."""
    after: float
    error: float
    """Standard error of the difference."""

    @property
    def estimate(self) -> float:
        """The second simulator's mean square less the first's."""
        return self.after - self.before

    @property
    def p_value(self) -> float:
        """Two-sided; 1 where nothing varies."""
        return erfc(abs(self.estimate) / self.error / sqrt(2)) if self.error > 0 else 1.0

    def interval(self, z: float) -> tuple[float, float]:
        """Return the estimate less and plus ``z`` standard errors."""
        return self.estimate - z * self.error, self.estimate + z * self.error


@dataclass(frozen=True)
class Change:
    """The contrasts of two simulators with the same people, and how all of them vary together.

    H0, over all metrics and in each: both simulators lie equally far from people, in whatever directions: the mean
    squares of Cliff's delta and of the spread score, their bias taken out, are equal. With x both simulators' contrasts
    and M = diag(-1, 1) the difference is x'Mx; it has the gradient 2 Mx, and the variance 4 m'MSMm + 2 tr(MSMS) at the
    truth m. With x in place of m the first term is too large by 4 tr(MSMS) on average, which is left in: where both
    simulators are like people it is all that there is, and the test is cautious (it rejects in less than 1 %) instead
    of too bold. People's units are shared: what they contribute to both simulators is taken from one another, which
    makes the difference of two similar simulators far more precise than either distance. A persona that both
    simulators met is one unit in the same way.

    Source:
        A Wald test of the difference of two quadratic forms of jointly normal variables (Mathai and Provost 1992,
        chapter 3, for its variance), by influence functions; size at equality, at equal distance in different
        directions, and power are shown in tests/calibration.
    """

    names: tuple[str, ...]
    before: FloatArray
    """Shape (2 * metrics,): deltas, then spreads."""
    after: FloatArray
    covariance: FloatArray
    """Shape (4 * metrics, 4 * metrics): of ``before``, then ``after``."""
    weights: FloatArray
    """Shape (metrics,): adding up to 1; the same for both simulators."""

    @classmethod
    def of(
        cls,
        before: Contrasts,
        after: Contrasts,
        *,
        people: tuple[IntArray, IntArray],
        simulated: tuple[IntArray, IntArray],
    ) -> Change:
        """Join the contrasts of two simulators.

        Args:
            before: Of the first simulator.
            after: Of the second, of the same metrics.
            people: What each unit of people in ``before``, and in ``after``, is numbered in common.
            simulated: The same of simulated units: a persona that both met has one number, whatever only one met has
                its own.
        """
        people_, shoppers = (
            _side_by_side(before.influence[side], after.influence[side], numbers)
            for side, numbers in ((0, people), (1, simulated))
        )
        covariance = sum_of_products(people_) + sum_of_products(shoppers)
        weights = (metric_weights(before) + metric_weights(after)) / 2
        return cls(before.names, before.estimates, after.estimates, covariance, weights)

    @cached_property
    def joint(self) -> Moved:
        """By how much the mean square over all metrics grew."""
        return self._moved(range(len(self.names)))

    @cached_property
    def by_metric(self) -> Mapping[str, Moved]:
        """By how much the square of each metric grew, without its weight."""
        return {name: self._moved([place], weighted=False) for place, name in enumerate(self.names)}

    def _moved(self, metrics: Sequence[int], *, weighted: bool = True) -> Moved:
        k = len(self.names)
        columns = np.asarray([*metrics, *(k + m for m in metrics)])
        both = np.concatenate([columns, 2 * k + columns])
        root = np.sqrt(np.tile(self.weights, 4))[both] if weighted else np.ones(len(both))
        x = np.concatenate([self.before, self.after])[both] * root
        scaled = self.covariance[np.ix_(both, both)] * np.outer(root, root)
        sign = np.repeat([-1.0, 1.0], len(columns))
        signed = scaled * np.outer(sign, sign)
        before, after = np.split(x**2 - np.diag(scaled), 2)
        variance = float(4 * x @ signed @ x) + float(2 * (signed * scaled).sum())
        return Moved(float(before.sum()), float(after.sum()), sqrt(max(0.0, variance)))


def _side_by_side(before: FloatArray, after: FloatArray, numbers: tuple[IntArray, IntArray]) -> FloatArray:
    n = 1 + max(int(each.max(initial=-1)) for each in numbers)
    joined = np.zeros((n, before.shape[1] + after.shape[1]))
    np.add.at(joined[:, : before.shape[1]], numbers[0], before)
    np.add.at(joined[:, before.shape[1] :], numbers[1], after)
    return joined


class Compared(NamedTuple):
    """A change, how many units each side has, and how many simulated ones both simulators share."""

    change: Change
    n_units: tuple[int, int, int]
    """People's, the first and the second simulator's."""
    n_paired: int


def change_between(
    before: tuple[Corpus, Corpus], after: tuple[Corpus, Corpus], names: Sequence[str]
) -> Compared:
    """Measure the change from one simulator to another.

    Args:
        before: The people and the first simulator, measured together.
        after: The same people, conversation by conversation, and the second simulator.
        names: Metrics that are defined on all sides.
    """
    designs = [Design.of(*each) for each in (before, after)]
    contrasts = [
        Contrasts(
            tuple(names),
            {name: _contrast(sides, name, design) for name in names},
            (design.real.stratum_of, design.simulated.stratum_of),
        )
        for sides, design in zip((before, after), designs, strict=True)
    ]
    of_people = [design.real.unit_of for design in designs]
    people = linked(
        [
            (Key("unit", f"before {first}"), Key("unit", f"after {second}"))
            for first, second in zip(*of_people, strict=True)
        ]
    )
    of_shoppers = [design.simulated.unit_of for design in designs]
    shoppers = linked(
        [
            (Key("unit", f"{which} {unit}"), Key("task", str(name)))
            for which, (_, corpus), unit_of in zip(("before", "after"), (before, after), of_shoppers, strict=True)
            for unit, name in zip(unit_of, corpus.units, strict=True)
        ]
    )  # fmt: skip
    first, second = np.split(shoppers, [len(of_shoppers[0])])
    return Compared(
        Change.of(
            *contrasts,
            people=(_by_unit(of_people[0], people), _by_unit(of_people[1], people)),
            simulated=(_by_unit(of_shoppers[0], first), _by_unit(of_shoppers[1], second)),
        ),
        (designs[0].real.n_units, designs[0].simulated.n_units, designs[1].simulated.n_units),
        len(np.intersect1d(first, second)),
    )


def _contrast(sides: tuple[Corpus, Corpus], name: str, design: Design) -> Contrast:
    real, simulated = (np.asarray(side.table[name], np.float64) for side in sides)
    return Contrast.of(*cells_of_sides((real, simulated), design))


def _by_unit(unit_of: IntArray, number_of_row: IntArray) -> IntArray:
    numbers = np.zeros(int(unit_of.max(initial=-1)) + 1, np.int64)
    numbers[unit_of] = number_of_row
    return numbers


@dataclass(frozen=True)
class Known:
    """A simulator's mean square and the parts of its variance, for a comparison without its conversations."""

    square: float
    people: float
    """What people's units add to the variance."""
    simulated: float
    noise: float
    """What is left where the square is 0."""

    @classmethod
    def of(cls, contrasts: Contrasts, weights: FloatArray) -> tuple[Known, Mapping[str, Known]]:
        """Return what is known of all metrics together, and of each alone, unweighted."""
        parts = [sum_of_products(side) for side in contrasts.influence]
        k = len(contrasts.names)
        joint = cls._at(contrasts.estimates, parts, np.sqrt(np.tile(weights, 2)))
        alone = {
            name: cls._at(contrasts.estimates[[n, k + n]], [part[np.ix_([n, k + n], [n, k + n])] for part in parts])
            for n, name in enumerate(contrasts.names)
        }  # fmt: skip
        return joint, alone

    @classmethod
    def _at(cls, estimates: FloatArray, parts: Sequence[FloatArray], root: FloatArray | None = None) -> Known:
        scale = np.ones(len(estimates)) if root is None else root
        d = estimates * scale
        of_people, of_shoppers = (part * np.outer(scale, scale) for part in parts)
        whole = of_people + of_shoppers
        return cls(
            float(d @ d - np.trace(whole)),
            float(4 * d @ of_people @ d),
            float(4 * d @ of_shoppers @ d),
            float(2 * (whole**2).sum()),
        )

    def to(self, after: Known) -> Moved:
        """Compare with a later simulator against the same people.

        What people's units contribute to both is not known, so the largest variance is taken that it may have: the
        interval is wider than that from the conversations.
        """
        variance = (sqrt(self.people) + sqrt(after.people)) ** 2 + self.simulated + after.simulated
        variance += (sqrt(self.noise) + sqrt(after.noise)) ** 2
        return Moved(self.square, after.square, sqrt(variance))
