"""What got better and what got worse from one version of a simulator to the next, against the same people."""

from __future__ import annotations

from typing import Literal

from convsim.schema.details import Interval
from convsim.schema.record import Count, Name, Number, Record, Text

Course = Literal["better", "worse", "no_change"]
"""``no_change``: none is shown."""


class Moved(Record):
    """A headline or a metric in both versions: how far from people, and whether that changed beyond chance."""

    kind: Literal["headline", "metric"]
    name: Name
    course: Course
    before: Number
    """The distance from people; 0 is as people."""
    after: Number
    unit: Text
    change: Number | None = None
    """What was tested: the change of the squared distance for habits and metrics, else of the distance."""
    interval: Interval | None = None
    """95 % interval of the change, of this one alone."""
    p_value: Number | None = None
    p_adjusted: Number | None = None
    """Corrected for all headlines and metrics together."""
    levels: tuple[Number | None, Number | None, Number | None] | None = None
    """A metric's mean before, after, and among people."""
    levels_unit: Text | None = None
    reason: Text = ""


class Versions(Record):
    """Two versions of a simulator against the same people."""

    before: Text
    """The earlier version: its name, or the file of its findings."""
    after: Text
    by: Literal["conversations", "numbers"]
    """``numbers``: the earlier conversations were not at hand, so the test is more cautious."""
    n_paired: Count
    """Units, such as personas, that both versions met."""
    note: Text = ""
    moved: tuple[Moved, ...] = ()

    @property
    def worse(self) -> tuple[Moved, ...]:
        """What is shown to be worse, headlines first."""
        return tuple(each for each in self.moved if each.course == "worse")

    @property
    def better(self) -> tuple[Moved, ...]:
        """What is shown to be better, headlines first."""
        return tuple(each for each in self.moved if each.course == "better")
