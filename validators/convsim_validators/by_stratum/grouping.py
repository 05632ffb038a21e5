"""Conversations by task, arm or language, and which of these groups both sides have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from convsim._text import plain
from convsim.schema import Corpus
from convsim.schema.arrays import BoolArray
from convsim.schema.conversation import Conversation
from convsim.text.language import name_of, tell_languages

Kind = Literal["task", "arm", "language"]
MIN_UNITS = 8
"""Users or conversations of a group on either side, below which nothing is compared within it."""
MAX_GROUPS = 40
"""The largest that are compared; bounds time where each of thousands of users has a task of their own."""
MAX_CHARACTERS = 60
"""Of a group's name that are shown."""


@dataclass(frozen=True)
class Grouping:
    """Both sides' conversations by one of what they can be grouped by."""

    kind: Kind
    of_rows: tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]
    """By side, shape (conversations,): the group of each, None where it names none."""
    units: tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]
    """By side, shape (conversations,): the user, persona or conversation that each belongs to."""

    @classmethod
    def of(cls, kind: Kind, real: Corpus, simulated: Corpus) -> Grouping:
        """Group both sides."""
        groups = _of_each(kind, real), _of_each(kind, simulated)
        return cls(kind, groups, (real.units, simulated.units))

    @cached_property
    def n_units(self) -> tuple[dict[str, int], dict[str, int]]:
        """By side: units that have a conversation in each group."""
        real, simulated = (
            _counted(groups, units) for groups, units in zip(self.of_rows, self.units, strict=True)
        )
        return real, simulated

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The groups with enough units on both sides, the largest first."""
        real, simulated = self.n_units
        enough = [name for name in real if min(real[name], simulated.get(name, 0)) >= MIN_UNITS]
        enough.sort(key=lambda name: (-min(real[name], simulated[name]), name))
        return tuple(enough[:MAX_GROUPS])

    @property
    def left_out(self) -> tuple[str, ...]:
        """The groups of either side that are not compared."""
        return tuple(sorted((self.n_units[0].keys() | self.n_units[1].keys()) - set(self.names)))

    def rows(self, name: str) -> tuple[BoolArray, BoolArray]:
        """By side, shape (conversations,): which are of a group."""
        return self.of_rows[0] == name, self.of_rows[1] == name

    @cached_property
    def nothing_shared(self) -> str | None:
        """Why the sides have no group in common, if so."""
        real, simulated = self.n_units
        lacking = [side for side, known in (("real", real), ("simulated", simulated)) if not known]
        if lacking:
            return f"the {self.kind} is not recorded in the {' or '.join(lacking)} conversations"
        if real.keys() & simulated.keys():
            return None
        return f"the sides have no {self.kind} in common; where it is the same one, give it the same name"

    @cached_property
    def lacking(self) -> str | None:
        """Why sides cannot be compared within groups, and what would let them, if so."""
        if self.nothing_shared:
            return self.nothing_shared
        real, simulated = self.n_units
        known = real.keys() | simulated.keys()
        if len(known) == 1:
            return f"all conversations have one {self.kind}; at least two are needed to compare within each"
        if len(self.names) < 2:
            return (
                f"{len(self.names)} of {len(known)} {self.kind}s have {MIN_UNITS} users or conversations on both "
                f"sides; at least two {self.kind}s with {MIN_UNITS} on each side are needed"
            )
        return None


def shown(name: str) -> str:
    """Return a group's name as it is shown in a sentence."""
    line = plain(name)
    return f"“{line if len(line) <= MAX_CHARACTERS else line[: MAX_CHARACTERS - 1] + '…'}”"


def _of_each(kind: Kind, side: Corpus) -> npt.NDArray[np.object_]:
    named: dict[Kind, Callable[[Conversation], str | None]] = {
        "task": lambda c: c.task,
        "arm": lambda c: c.arm,
    }
    if kind in named:
        return np.asarray([named[kind](c) or None for c in side.conversations], object)
    codes = tell_languages(side.user_texts)
    return np.asarray([None if code is None else name_of(code) for code in codes], object)


def _counted(groups: npt.NDArray[np.object_], units: npt.NDArray[np.object_]) -> dict[str, int]:
    members: dict[str, set[str]] = {}
    for group, unit in zip(groups, units, strict=True):
        if group is not None:
            members.setdefault(group, set()).add(unit)
    return {name: len(of_group) for name, of_group in members.items()}
