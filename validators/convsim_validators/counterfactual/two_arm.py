"""Two arms of one side, and the tasks over which their means are averaged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from convsim._text import listed
from convsim.schema import Corpus
from convsim.schema.arrays import FloatArray, IntArray
from convsim.stats.resampling import MIN_UNITS_A_STRATUM, REST, draw, numbered_units

if TYPE_CHECKING:
    from numpy.random import Generator


class Arms(NamedTuple):
    """The experimental conditions that are compared; a shift is treatment minus control."""

    control: str
    treatment: str


NO_TASK = "no task"


@dataclass(frozen=True)
class ArmSide:
    """Conversations of the two arms; all else is left out."""

    corpus: Corpus
    arm_of: IntArray
    """Shape (conversations,): 0 in the control arm, 1 in the treated arm."""
    tasks: tuple[str, ...]
    task_of: IntArray
    """Shape (conversations,): index into ``tasks``; conversations without a task form one."""
    unit_of: IntArray
    """Shape (conversations,)."""
    weights: FloatArray
    """Shape (units, 1 + replicates): how often each unit was drawn; the first column is the observed sample."""

    @classmethod
    def of(cls, corpus: Corpus, arms: Arms, n_replicates: int, rng: Generator) -> ArmSide:
        """Take both arms of ``corpus`` and draw its units with replacement, within strata, ``n_replicates`` times.

        A stratum holds units that met the same arms in the same tasks, so that a user who met both keeps both; of
        those that are too few, the units that met the same arms.
        """
        taken = corpus.where(lambda conversation: conversation.arm in arms)
        conversations = taken.conversations
        tasks, task_of = np.unique([c.task or NO_TASK for c in conversations], return_inverse=True)
        unit_of = numbered_units(taken)
        n_units = int(unit_of.max(initial=-1)) + 1
        strata = _strata([(c.arm or "", c.task or NO_TASK) for c in conversations], unit_of, n_units)
        drawn = draw(strata, np.bincount(strata), n_replicates, rng)
        return cls(
            taken,
            np.asarray([c.arm == arms.treatment for c in conversations], np.int64),
            tuple(map(str, tasks)),
            task_of.astype(np.int64),
            unit_of,
            np.hstack([np.ones((n_units, 1)), drawn.astype(np.float64)]),
        )

    def column(self, metric: str) -> FloatArray:
        """Return one metric of these conversations; NaN where it is undefined."""
        return np.asarray(self.corpus.table[metric], np.float64)

    def cells(self, values: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Sum and count the defined ``values`` of each cell under ``weights``.

        Args:
            values: Shape (conversations,).
            weights: Shape (units, replicates).

        Returns:
            Two arrays of shape (arms, tasks, replicates).
        """
        from scipy.sparse import csr_matrix

        defined = ~np.isnan(values)
        cell = self.arm_of[defined] * len(self.tasks) + self.task_of[defined]
        shape = (2, len(self.tasks), weights.shape[1])
        where = (cell, self.unit_of[defined])
        sums, counts = (
            csr_matrix((x, where), shape=(2 * len(self.tasks), len(weights))) @ weights
            for x in (values[defined], np.ones(len(cell)))
        )
        return np.asarray(sums).reshape(shape), np.asarray(counts).reshape(shape)

    def count(self, values: FloatArray) -> IntArray:
        """Count the conversations of each cell in which ``values`` is defined; shape (arms, tasks)."""
        cell = (self.arm_of * len(self.tasks) + self.task_of)[~np.isnan(values)]
        return np.bincount(cell, minlength=2 * len(self.tasks)).reshape(2, len(self.tasks)).astype(np.int64)


def _strata(cells: list[tuple[str, str]], unit_of: IntArray, n_units: int) -> IntArray:
    """Return the stratum of each unit; names do not depend on which arm is the control."""
    met: list[set[tuple[str, str]]] = [set() for _ in range(n_units)]
    for unit, cell in zip(unit_of, cells, strict=True):
        met[unit].add(cell)
    fine = [repr(sorted(unit)) for unit in met]
    coarse = [repr(sorted({arm for arm, _ in unit})) for unit in met]
    n_fine = Counter(fine)
    labels = [f if n_fine[f] >= MIN_UNITS_A_STRATUM else c for f, c in zip(fine, coarse, strict=True)]
    n_labels = Counter(labels)
    merged = [label if n_labels[label] >= MIN_UNITS_A_STRATUM else REST for label in labels]
    return np.unique(np.asarray(merged, object).astype(str), return_inverse=True)[1].astype(np.int64)


N_NAMED = 4


@dataclass(frozen=True)
class Standard:
    """The tasks that one side's arm means are averaged over; ``weights`` add up to 1."""

    tasks: tuple[str, ...]
    weights: tuple[float, ...]

    def over(self, side: ArmSide) -> FloatArray:
        """Return the weight of each of the side's tasks, 0 for those left out; shape (tasks,)."""
        weight = dict(zip(self.tasks, self.weights, strict=True))
        return np.asarray([weight.get(task, 0.0) for task in side.tasks])


@dataclass(frozen=True)
class Standards:
    """The standard of each side, human first; or why the arms have none."""

    of_side: tuple[Standard, ...]
    common: bool
    """Whether every side is averaged over the same tasks with the same weights."""
    problem: str | None = None

    @classmethod
    def of(cls, sides: Sequence[ArmSide], counts: Sequence[IntArray]) -> Standards:
        """Find the tasks that all arms of all sides have, weighted by the human conversations of both arms.

        Where the sides have no such task, each is averaged over those that its own two arms have, weighted by its own
        conversations.

        Args:
            sides: The human side first.
            counts: Conversations in which the metric is defined; shape (arms, tasks) each.
        """
        own_tasks = [
            {
                task: float(of_task.sum())
                for task, of_task in zip(side.tasks, n.T, strict=True)
                if of_task.min() > 0
            }
            for side, n in zip(sides, counts, strict=True)
        ]
        for name, own in zip(("people's", *["the simulated"] * len(sides)), own_tasks, strict=False):
            if not own:
                return cls(
                    (), False, f"{name} two arms have no task in common in which this metric is defined"
                )
        shared = [task for task in own_tasks[0] if all(task in own for own in own_tasks)]
        if shared:
            return cls((_standard({task: own_tasks[0][task] for task in shared}),) * len(sides), True)
        return cls(tuple(map(_standard, own_tasks)), False)

    def caution(self) -> str:
        """Say which tasks each side is averaged over where these differ; else nothing."""
        if self.common or not self.of_side:
            return ""
        named = [_named(standard.tasks) for standard in self.of_side]
        return (
            f"; the sides have no task in common, so people's shift is that of {named[0]} and the simulated that of "
            f"{named[1]}"
        )


def _standard(counts: dict[str, float]) -> Standard:
    total = sum(counts.values())
    return Standard(tuple(counts), tuple(count / total for count in counts.values()))


def _named(tasks: Sequence[str]) -> str:
    return listed([task[:40] for task in tasks], N_NAMED)
