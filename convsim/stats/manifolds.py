"""Does one crowd fill the space that another fills? Precision, recall, density and coverage by nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.crowds import Crowds

Distances = npt.NDArray[np.float32]
"""Of pairs, in single precision: there are as many as units times units."""

K_NEAREST = 5
"""Of Naeem et al. (2020), section 4: two samples of one population then cover one another by .97."""
N_LISTED = 48
"""Neighbours listed of each unit; further ones are looked for where these are not enough."""


class Filled(NamedTuple):
    """How far two crowds fill one another's space, each 0 to 1, density from 0 to above 1."""

    precision: float
    """Simulated units within the reach of one of the people."""
    recall: float
    """People within the reach of a simulated unit."""
    density: float
    """People within whose reach a simulated unit is, over k: 1 where the crowds are alike."""
    coverage: float
    """People with a simulated unit within their own reach."""


def filled(people: Distances, simulated: Distances, across: Distances, *, k: int = K_NEAREST) -> Filled:
    """How far do simulated units fill the space of people, and people theirs?

    A unit's reach is its distance to the k-th nearest other of its own crowd. There is no H0 here: all four depend on
    the crowds' sizes, and are to be held against two groups of people of the same sizes.

    Args:
        people: Shape (n, n): distances among people.
        simulated: Shape (m, m): distances among simulated units.
        across: Shape (n, m): distances from people to simulated units.
        k: Which neighbour a unit reaches to; it has to be below n and m.

    Source:
        Kynkäänniemi et al. (2019), Improved precision and recall metric for assessing generative models, equation 1;
        Naeem et al. (2020), Reliable fidelity and diversity metrics for generative models, equations 3 and 4. We count
        who lies exactly at a unit's reach as within it, so that a crowd of equal texts reaches itself.
    """
    reach, reach_simulated = (_reach(each, k) for each in (people, simulated))
    in_people = across <= reach[:, None]
    in_simulated = across <= reach_simulated[None, :]
    return Filled(
        precision=float(in_people.any(axis=0).mean()),
        recall=float(in_simulated.any(axis=1).mean()),
        density=float(in_people.sum() / (k * across.shape[1])),
        coverage=float(in_people.any(axis=1).mean()),
    )


def _reach(own: Distances, k: int) -> Distances:
    others = own.copy()
    np.fill_diagonal(others, np.inf)
    reach: Distances = np.partition(others, k - 1, axis=1)[:, k - 1]
    return reach


@dataclass(frozen=True)
class Space:
    """All units of both sides with their distances; ties are broken by the units' order, which must tell no side."""

    distance: Distances
    """Shape (units, units)."""
    nearest: IntArray
    """Shape (units, neighbours): the other units, the nearest first."""

    @classmethod
    def of(cls, distance: Distances) -> Space:
        """List each unit's nearest others."""
        n = len(distance)
        listed = min(N_LISTED, n - 1)
        away = distance.copy()
        np.fill_diagonal(away, np.inf)
        nearest = np.empty((n, listed), np.int64)
        for start in range(0, n, 512):
            rows = away[start : start + 512]
            # A stable order within what the partition leaves; ties at its edge fall as they may, by no side.
            top = np.sort(np.argpartition(rows, listed - 1, axis=1)[:, :listed], axis=1)
            order = np.argsort(np.take_along_axis(rows, top, axis=1), axis=1, kind="stable")
            nearest[start : start + 512] = np.take_along_axis(top, order, axis=1)
        return cls(distance, nearest)

    def coverage(self, crowds: Crowds, *, k: int = K_NEAREST) -> FloatArray:
        """Return the proportion of people among whose ``k`` nearest is a simulated unit; shape (draws,).

        The nearest simulated unit is within reach of the k-th nearest other of the people just if not all of the first
        k neighbours are people: so this is the coverage of ``filled``, but for ties, in every draw.
        """
        people, simulated = crowds.people > 0, crowds.simulated > 0
        all_there = bool((people | simulated).all())
        listed = self.nearest[:, : min(k, self.nearest.shape[1])] if all_there else self.nearest
        return np.asarray(
            [
                self._covered(listed, people[:, draw], simulated[:, draw], k).mean()
                for draw in range(people.shape[1])
            ]
        )

    def _covered(self, listed: IntArray, people: BoolArray, simulated: BoolArray, k: int) -> BoolArray:
        rows = np.flatnonzero(people)
        near = listed[rows]
        is_simulated = simulated[near]
        if listed.shape[1] <= k:
            return np.asarray(is_simulated.any(axis=1))
        there = is_simulated | people[near]
        place = np.cumsum(there, axis=1)
        covered = np.asarray((is_simulated & (place <= k)).any(axis=1))
        short = np.flatnonzero(place[:, -1] < k)
        if len(short):
            covered[short] = self._beyond_the_list(rows[short], people, simulated, k)
        return covered

    def _beyond_the_list(self, rows: IntArray, people: BoolArray, simulated: BoolArray, k: int) -> BoolArray:
        there = np.flatnonzero(people | simulated)
        away = self.distance[np.ix_(rows, there)].copy()
        away[rows[:, None] == there[None, :]] = np.inf
        order = np.argsort(away, axis=1, kind="stable")[:, :k]
        return np.asarray(simulated[there][order].any(axis=1))

    def filled(self, crowds: Crowds, *, k: int = K_NEAREST) -> list[Filled]:
        """Return all four numbers of each draw."""
        found = []
        for draw in range(crowds.people.shape[1]):
            a, b = (np.flatnonzero(side[:, draw]) for side in (crowds.people, crowds.simulated))
            found.append(
                filled(
                    self.distance[np.ix_(a, a)],
                    self.distance[np.ix_(b, b)],
                    self.distance[np.ix_(a, b)],
                    k=k,
                )
            )
        return found
