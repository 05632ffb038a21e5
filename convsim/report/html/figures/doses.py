"""What shoppers do as a fault grows: means by severity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from convsim.report.html.figures.canvas import PAPER, SIMULATED, canvas, drawable, drawable_span
from convsim.report.html.figures.figure import Picture, draw
from convsim.report.html.text import metric_name, name
from convsim.report.words import VERDICTS, number
from convsim.schema import Finding
from convsim.schema.details import DoseDetails

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_SHOWN = 6
HEIGHT_PX = 160
WAYS = {"increase": "people would rise", "decrease": "people would fall"}
LEGEND = (("simulated-circle", "mean of the simulated shoppers, with 95 % interval"),)


def doses(findings: Sequence[Finding]) -> list[Picture]:
    """Draw the metrics of ``dose_response``: those that are judged first, by how sure their trend is."""
    known = [curve for curve in map(_curve, findings) if curve is not None]
    known.sort(key=lambda curve: curve.rank)
    return [_dose(place, curve) for place, curve in enumerate(known[:N_SHOWN])]


@dataclass(frozen=True)
class _Curve:
    """A finding whose means can be drawn."""

    finding: Finding
    details: DoseDetails
    severities: Sequence[float]
    means: Sequence[float]

    @property
    def rank(self) -> tuple[bool, bool, float, str]:
        """What is flat, or shown only, comes last; of the others the surest trend first."""
        f = self.finding
        return len(set(self.means)) < 2, f.is_control, 1.0 if f.p_value is None else f.p_value, f.metric


def _curve(finding: Finding) -> _Curve | None:
    of = finding.details
    if not isinstance(of, DoseDetails):
        return None
    severities = [known for value in of.severities if (known := drawable(value)) is not None]
    means = [known for value in of.means if (known := drawable(value)) is not None]
    whole = len(severities) == len(of.severities) == len(means) == len(of.means)
    return _Curve(finding, of, severities, means) if whole and len(means) > 1 else None


def _dose(place: int, curve: _Curve) -> Picture:
    finding, severities, means = curve.finding, curve.severities, curve.means
    way = WAYS.get(curve.details.expected or "", "which way people would go is not known")
    verdict = "shown only" if finding.is_control else VERDICTS[finding.verdict]
    ends = [f"{number(means[end])} at severity {number(severities[end])}" for end in (0, -1)]
    return draw(
        f"dose-{place}", partial(_figure, curve), title=metric_name(finding.metric), small=True, legend=LEGEND,
        says=f"From {ends[0]} to {ends[1]}: {verdict}; {way}.",
    )  # fmt: skip


def _figure(curve: _Curve, width: int) -> Figure:
    severities, means = curve.severities, curve.means
    figure, axes = canvas(width, HEIGHT_PX, left=48, right=14, top=10, bottom=38)
    for severity, interval in zip(severities, curve.details.mean_intervals or (), strict=False):
        if (span := drawable_span(interval)) is not None:
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
    unit = name(curve.details.metric_unit, limit=30) if curve.details.metric_unit else ""
    axes.set_xlabel(f"severity of {name(curve.details.fault, limit=24)} ({unit})")
    return figure
