"""Over which tasks arm means are averaged, and with what weights, so that a mix of tasks is no shift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convsim.stats.ecdf import FloatArray
from convsim.stats.resampling import IntArray
from convsim_validators.counterfactual.two_arm import ArmSide

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
    more = f" and {len(tasks) - N_NAMED} more" if len(tasks) > N_NAMED else ""
    return ", ".join(task[:40] for task in tasks[:N_NAMED]) + more
