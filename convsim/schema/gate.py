"""What a gate asked of a scorecard, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from convsim.schema.details import Interval, Needs
from convsim.schema.finding import Verdict
from convsim.schema.record import Flag, Name, Number, Record, Text

Kind = Literal["headline", "metric"]
Severity = Literal["error", "warning", "ignore"]


class GateCheck(Record):
    """One headline or finding that was asked for, with the numbers that its verdict stands on."""

    kind: Kind
    name: Name
    """The headline or the metric; where there is no finding, the name as the gate has it."""
    validator: Name | None = None
    """Null where there is no finding."""
    passes: tuple[Verdict, ...]
    severity: Literal["error", "warning"]
    passed: Flag
    verdict: Verdict | None
    """Null where nothing was judged, which never passes."""
    needs: Needs | None = None
    """How much more would decide, where the verdict is ``undecided`` and that is known."""
    reason: Text
    estimate: Number | None = None
    unit: Text | None = None
    interval: Interval | None = None
    level: Number | None = None
    margin: Mapping[str, Number] = {}
    """By name; of a validator with one margin, by ``margin``. Empty where the finding states none."""


class GateResult(Record):
    """What became of each check, in the gate's order."""

    file: Text | None = None
    """The gate's file; null where it was made in Python."""
    checks: tuple[GateCheck, ...]

    @property
    def failures(self) -> tuple[GateCheck, ...]:
        """The checks that fail the gate."""
        return tuple(each for each in self.checks if not each.passed and each.severity == "error")

    @property
    def warnings(self) -> tuple[GateCheck, ...]:
        """The checks that did not pass, and of which the gate only warns."""
        return tuple(each for each in self.checks if not each.passed and each.severity == "warning")

    @property
    def passed(self) -> bool:
        """Whether no check fails the gate."""
        return not self.failures
