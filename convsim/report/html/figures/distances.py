"""Each metric's distance from people, beside the human baseline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from convsim.report.html.figures.canvas import (
    MUTED,
    PEOPLE,
    SIMULATED,
    Picture,
    draw,
    drawable,
    drawable_span,
)
from convsim.report.html.figures.forest import MAX_ROWS, forest
from convsim.report.html.rows import kind_of
from convsim.report.html.text import metric_name
from convsim.report.tables import interval, number, verdict_words
from convsim.schema import Finding
from convsim.schema.details import DistanceDetails

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHAPES = {"different": ("D", False), "alike": ("o", False), "undecided": ("o", True)}
LEGEND = (
    ("people-band", "human baseline: two groups of people differ by less, 95 % of the time"),
    ("simulated-diamond", "different"),
    ("simulated-circle", "alike"),
    ("simulated-hollow", "needs more data"),
    ("margin", "margin: alike up to here"),
)


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Return the judged metrics that have a distance, the largest first."""
    known = [f for f in findings if not f.is_control and drawable(f.estimate) is not None]
    return sorted(known, key=lambda f: (-float(f.estimate or 0), f.metric))


def distances(findings: Sequence[Finding]) -> Picture | None:
    """Draw the distances of ``marginals``; None where there is none."""
    known = ranked(findings)
    if not known:
        return None
    shown = known[:MAX_ROWS]
    beyond = sum(f.noise_floor is not None and (f.estimate or 0) > f.noise_floor.q95 for f in known)
    says = (
        f"Kolmogorov-Smirnov distances of {len(known)} metrics from people, 0 (same) to 1. The largest is "
        f"{metric_name(known[0].metric)} at {number(known[0].estimate)}; {beyond} of them exceed the human baseline."
    )
    return draw(
        "distances", partial(_figure, shown), title="Distance from people, metric by metric", says=says, legend=LEGEND,
        columns=("metric", "distance", "95 % interval", "human baseline", "verdict"),
        rows=[
            (
                metric_name(f.metric), number(f.estimate), interval(f),
                number(f.noise_floor.q95) if f.noise_floor else "–", verdict_words(f),
            )
            for f in shown
        ],
        note=f"The {MAX_ROWS} largest of {len(known)} metrics; the table of findings has them all."
        if len(known) > MAX_ROWS else "",
    )  # fmt: skip


def _figure(findings: Sequence[Finding], width: int) -> Figure:
    names = [metric_name(f.metric, limit=32) for f in findings]
    notes = [f"{number(f.estimate)} {verdict_words(f)}" for f in findings]
    rows = forest(names, notes, width=width, row_px=24)
    margin = _margin(findings[0])
    if margin is not None:
        rows.axes.axvline(margin, color=MUTED, linewidth=1.2, dashes=(3, 3), zorder=1)
    for y, finding in zip(rows.ys, findings, strict=True):
        if finding.noise_floor is not None and (q95 := drawable(finding.noise_floor.q95)) is not None:
            rows.axes.barh(y, q95, height=0.42, color=PEOPLE, alpha=0.38, linewidth=0, zorder=2)
        rows.span(drawable_span(finding.interval), y, color=SIMULATED)
        shape, hollow = SHAPES[kind_of(finding)]
        rows.mark(float(finding.estimate or 0), y, color=SIMULATED, shape=shape, hollow=hollow)
    rows.axes.set_xlim(0, max(1.02, *(f.estimate or 0 for f in findings)))
    rows.axes.set_xlabel("Kolmogorov-Smirnov distance")
    return rows.figure


def _margin(finding: Finding) -> float | None:
    """Return the margin of the distance that is drawn."""
    margin = finding.details.margin if isinstance(finding.details, DistanceDetails) else None
    return drawable(margin.get("ks") if isinstance(margin, dict) else margin)
