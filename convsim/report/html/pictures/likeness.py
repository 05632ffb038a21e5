"""How well a discriminator tells the simulator from people, beside how well it tells people from people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pydantic import JsonValue

from convsim.contracts import Finding
from convsim.report.html.details import a_number, an_interval
from convsim.report.html.pictures.canvas import MUTED, PEOPLE, SIMULATED
from convsim.report.html.pictures.forest import forest
from convsim.report.html.pictures.picture import Picture, draw
from convsim.report.html.text import metric_name
from convsim.report.words import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEWS = {"hls": "all words", "hls_length_matched": "first words alone", "hls_behaviour": "habits, no words"}
LEGEND = (
    ("simulated-circle", "simulated from people, with 95 % interval"),
    ("people-circle", "control: people from people"),
    ("margin", "chance"),
)


@dataclass(frozen=True)
class _Line:
    """One quantity of one view."""

    view: str
    quantity: str
    value: float
    interval: tuple[float, float] | None
    control: float | None


def likeness(findings: Sequence[Finding]) -> Picture | None:
    """Draw accuracy, AUC and score of every view of ``humanlikeness``; None where none was fitted."""
    lines = [line for finding in findings for line in _lines(finding)]
    if not lines:
        return None
    worst = max(
        (line for line in lines if line.quantity == "accuracy"), key=lambda line: line.value, default=lines[0]
    )
    says = (
        f"A discriminator that sees {worst.view} is right {number(worst.value)} of the time; telling people from "
        f"people it is right {number(worst.control)} of the time, and chance is 0.5."
    )
    return draw(
        "likeness", partial(_figure, lines), title="Telling simulated from human", says=says, legend=LEGEND,
        columns=("what it sees", "measure", "simulated", "95 % interval", "people from people"),
        rows=[
            (line.view, line.quantity, number(line.value), _written(line.interval), number(line.control))
            for line in lines
        ],
    )  # fmt: skip


def _lines(finding: Finding) -> list[_Line]:
    view, details = VIEWS.get(finding.metric, metric_name(finding.metric)), finding.details
    score = _line(view, "score", finding.estimate, finding.interval, details.get("control_hls"))
    found = [_detail(view, quantity, details) for quantity in ("accuracy", "auc")]
    return [line for line in (*found, score) if line is not None]


def _detail(view: str, quantity: str, details: Mapping[str, JsonValue]) -> _Line | None:
    shown = {"auc": "AUC"}.get(quantity, quantity)
    return _line(
        view,
        shown,
        details.get(quantity),
        details.get(f"{quantity}_interval"),
        details.get(f"control_{quantity}"),
    )


def _line(view: str, quantity: str, value: object, interval: object, control: object) -> _Line | None:
    known = a_number(value)
    return None if known is None else _Line(view, quantity, known, an_interval(interval), a_number(control))


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
    rows.axes.set_xlabel("0.5: chance, and the best score; 1: always told apart")
    return rows.figure


def _written(interval: tuple[float, float] | None) -> str:
    return f"[{number(interval[0])}, {number(interval[1])}]" if interval else "–"
