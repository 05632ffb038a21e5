"""What shoppers do as a fault grows: means by severity."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from convsim.contracts import Finding
from convsim.report.html.details import a_list, all_numbers, an_interval
from convsim.report.html.pictures.canvas import PAPER, SIMULATED, canvas
from convsim.report.html.pictures.picture import Picture, draw
from convsim.report.html.text import metric_name, name
from convsim.report.words import VERDICTS, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_SHOWN = 6
HEIGHT_PX = 160
WAYS = {"increase": "people would rise", "decrease": "people would fall"}
LEGEND = (("simulated-circle", "mean of the simulated shoppers, with 95 % interval"),)


def doses(findings: Sequence[Finding]) -> list[Picture]:
    """Draw the metrics of ``dose_response``: those that are judged first, by how sure their trend is."""
    known = [f for f in findings if _curve(f)]
    known.sort(key=lambda f: (_is_flat(f), f.is_control, 1.0 if f.p_value is None else f.p_value, f.metric))
    return [_dose(place, finding) for place, finding in enumerate(known[:N_SHOWN])]


def _curve(finding: Finding) -> tuple[list[float], list[float]] | None:
    severities, means = (
        all_numbers(finding.details.get("severities")),
        all_numbers(finding.details.get("means")),
    )
    if severities is None or means is None or len(severities) != len(means) or len(means) < 2:
        return None
    return severities, means


def _is_flat(finding: Finding) -> bool:
    _, means = _curve(finding) or ([], [])
    return len(set(means)) < 2


def _dose(place: int, finding: Finding) -> Picture:
    severities, means = _curve(finding) or ([], [])
    way = WAYS.get(str(finding.details.get("expected")), "which way people would go is not known")
    verdict = "shown only" if finding.is_control else VERDICTS[finding.verdict]
    ends = [f"{number(means[end])} at severity {number(severities[end])}" for end in (0, -1)]
    return draw(
        f"dose-{place}", partial(_figure, finding), title=metric_name(finding.metric), small=True, legend=LEGEND,
        says=f"From {ends[0]} to {ends[1]}: {verdict}; {way}.",
    )  # fmt: skip


def _figure(finding: Finding, width: int) -> Figure:
    severities, means = _curve(finding) or ([], [])
    figure, axes = canvas(width, HEIGHT_PX, left=48, right=14, top=10, bottom=38)
    spans = [an_interval(span) for span in a_list(finding.details.get("mean_intervals"))]
    for severity, span in zip(severities, spans, strict=False):
        if span is not None:
            axes.plot([severity, severity], span, color=SIMULATED, linewidth=1.8, solid_capstyle="butt")
    axes.plot(
        severities, means, color=SIMULATED, linewidth=1.6, marker="o", markersize=6, markeredgecolor=PAPER,
        markeredgewidth=1.2, zorder=3,
    )  # fmt: skip
    axes.set_xticks(severities)
    axes.set_xlim(severities[0] - 0.06, severities[-1] + 0.06)
    axes.locator_params(axis="y", nbins=5)
    axes.margins(y=0.12)
    axes.grid(axis="y")
    unit = name(str(finding.details.get("metric_unit") or ""), limit=30)
    axes.set_xlabel(
        f"severity of {name(str(finding.details.get('fault') or 'the fault'), limit=24)} ({unit})"
    )
    return figure
