"""How well a classifier tells simulated from real, beside how well it tells two groups of people apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from convsim.evaluation.layout import VIEWS
from convsim.report.html.figures.canvas import (
    MUTED,
    PEOPLE,
    SIMULATED,
    Picture,
    draw,
    drawable,
    drawable_span,
)
from convsim.report.html.figures.forest import forest
from convsim.report.html.text import metric_name
from convsim.report.tables import number, percent
from convsim.schema import Finding
from convsim.schema.details import DiscriminatorDetails

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEGEND = (
    ("simulated-circle", "simulated vs people, with 95 % interval"),
    ("people-circle", "human baseline: people vs people"),
    ("margin", "guessing"),
)


@dataclass(frozen=True)
class _Line:
    """One quantity of one view."""

    view: str
    quantity: str
    value: float
    interval: tuple[float, float] | None
    control: float | None


def recognition(findings: Sequence[Finding]) -> Picture | None:
    """Draw accuracy, AUC and score of every view of ``humanlikeness``; None where none was fitted."""
    lines = [line for finding in findings for line in _lines(finding)]
    if not lines:
        return None
    worst = max(
        (line for line in lines if line.quantity == "accuracy"), key=lambda line: line.value, default=lines[0]
    )
    says = (
        f"A classifier that sees {worst.view} is right {percent(worst.value)} of the time; between two groups of "
        f"people it is right {percent(worst.control)} of the time, and guessing is right 50 %."
    )
    return draw(
        "recognition", partial(_figure, lines), title="How well a classifier tells simulated from real",
        says=says, legend=LEGEND,
        columns=("what it sees", "measure", "simulated", "95 % interval", "human baseline"),
        rows=[
            (line.view, line.quantity, number(line.value), _written(line.interval), number(line.control))
            for line in lines
        ],
    )  # fmt: skip


def _lines(finding: Finding) -> list[_Line]:
    view = VIEWS.get(finding.metric, metric_name(finding.metric))
    of = finding.details if isinstance(finding.details, DiscriminatorDetails) else None
    found = [
        _line(view, "score", finding.estimate, finding.interval, of.control_hls if of else None),
    ]
    if of is not None:
        found = [
            _line(view, "accuracy", of.accuracy, of.accuracy_interval, of.control_accuracy),
            _line(view, "AUC", of.auc, of.auc_interval, of.control_auc),
            *found,
        ]
    return [line for line in found if line is not None]


def _line(
    view: str, quantity: str, value: float | None, interval: tuple[float, float] | None, control: float | None
) -> _Line | None:
    known = drawable(value)
    return None if known is None else _Line(view, quantity, known, drawable_span(interval), drawable(control))


def _figure(lines: Sequence[_Line], width: int) -> Figure:
    names = [f"{line.view}: {line.quantity}" for line in lines]
    rows = forest(names, [number(line.value) for line in lines], width=width, row_px=24)
    rows.axes.axvline(0.5, color=MUTED, linewidth=1.2, dashes=(3, 3), zorder=1)
    for y, line in zip(rows.ys, lines, strict=True):
        if line.control is not None:
            rows.mark(line.control, y, color=PEOPLE)
        rows.span(line.interval, y, color=SIMULATED)
        rows.mark(line.value, y, color=SIMULATED)
    rows.axes.set_xlim(-0.02, 1.02)
    rows.axes.set_xlabel("0.5: guessing, and the best score; accuracy and AUC of 1: always told apart")
    return rows.figure


def _written(interval: tuple[float, float] | None) -> str:
    return f"[{number(interval[0])}, {number(interval[1])}]" if interval else "–"
