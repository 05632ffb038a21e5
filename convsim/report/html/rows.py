"""The findings as rows of a table that can be sorted and filtered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convsim._text import plain
from convsim.report.html.explained import explanation
from convsim.report.html.text import metric_name, name
from convsim.report.tables import (
    interval,
    kind_of_verdict,
    measured,
    number,
    value_of_side,
    verdict_and_needs,
)
from convsim.schema import Finding

MAX_ROWS = 1_000
KINDS = {
    "different": "differ",
    "alike": "alike",
    "undecided": "need more data",
    "failed": "failed",
    "control": "not judged",
}
"""Kinds of verdicts, and how the filter names them."""


@dataclass(frozen=True)
class Cell:
    """A number as it is shown and as it is sorted; None sorts last."""

    shown: str
    value: float | None


@dataclass(frozen=True)
class Row:
    """One finding."""

    validator: str
    metric: str
    question: str
    explained: str
    """What the metric measures."""
    reason: str
    cells: Sequence[Cell]
    """People, simulated, estimate, human baseline, adjusted p."""
    interval: str
    unit: str
    measured: str
    """Estimate, unit, interval and human baseline, in words."""
    verdict: str
    kind: str


def kind_of(finding: Finding) -> str:
    """Return the kind of a finding's verdict."""
    if finding.is_control:
        return "control"
    return kind_of_verdict(finding.verdict)


def finding_rows(findings: Sequence[Finding]) -> list[Row]:
    """Write findings as rows, at most 1,000."""
    return [
        Row(
            validator=name(f.validator),
            metric=metric_name(f.metric, limit=60),
            question=plain(f.question),
            explained=explanation(f),
            reason=plain(f.reason),
            cells=[
                _cell(value_of_side(f, "real")),
                _cell(value_of_side(f, "simulated")),
                _cell(f.estimate),
                _cell(f.noise_floor.q95 if f.noise_floor else None),
                _cell(f.p_adjusted),
            ],
            interval=interval(f),
            unit=name(f.unit, limit=60),
            measured=plain(measured(f)),
            verdict=verdict_and_needs(f),
            kind=kind_of(f),
        )
        for f in findings[:MAX_ROWS]
    ]


def _cell(value: float | None) -> Cell:
    return Cell(number(value), value)
