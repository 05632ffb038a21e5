"""Reactions to a worse recommender: shifts, doses, survival."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from convsim.report.html.explained import explanation
from convsim.report.html.figures.canvas import (
    MUTED,
    PAPER,
    PEOPLE,
    SIMULATED,
    Picture,
    canvas,
    draw,
    drawable,
    drawable_span,
)
from convsim.report.html.figures.forest import MAX_ROWS, forest
from convsim.report.html.text import metric_name, name
from convsim.report.tables import estimate, number, verdict_words
from convsim.schema import Estimate, Finding
from convsim.schema.details import Curves as BothArms
from convsim.schema.details import DoseDetails, LeavingDetails, ShiftDetails, Step

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FARTHEST = 3.0
"""Human standard deviations that fit on the scale; what lies beyond is cut."""
LEGEND = (
    ("people-circle", "people's shift, established"),
    ("people-hollow", "people's shift, not established"),
    ("simulated-square", "simulated shift"),
)


@dataclass(frozen=True)
class _Moved:
    """How far one side moved, in human standard deviations."""

    estimate: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class _Shift:
    finding: Finding
    details: ShiftDetails
    people: _Moved
    simulated: _Moved
    established: bool

    @property
    def ends(self) -> list[float]:
        """Where its marks and intervals lie."""
        limits = [limit for side in (self.people, self.simulated) for limit in side.interval or ()]
        return [self.people.estimate, self.simulated.estimate, *limits]


def shifts(findings: Sequence[Finding]) -> Picture | None:
    """Draw the shifts of ``counterfactual`` in human standard deviations; None where there is none."""
    found = [_shift(f) for f in findings if not f.is_control]
    known = sorted(
        (shift for shift in found if shift is not None),
        key=lambda s: (not s.established, -abs(s.people.estimate), s.finding.metric),
    )
    if not known:
        return None
    shown = known[:MAX_ROWS]
    established = sum(shift.established for shift in known)
    agree = sum(s.established and s.people.estimate * s.simulated.estimate > 0 for s in known)
    notes = [f"The first {MAX_ROWS} of {len(known)} metrics."] if len(known) > MAX_ROWS else []
    if any(abs(end) > FARTHEST for shift in shown for end in shift.ends):
        notes.append(f"Marks beyond {FARTHEST:g} standard deviations are cut off; see the numbers.")
    return draw(
        "shifts", partial(_figure_shifts, shown), title="People's shift and the simulated one", legend=LEGEND,
        says=f"Shifts from the control arm to the treated arm. People's shift is established in {established} of "
        f"{len(known)} metrics; in {agree} of these the simulated shift goes the same way.",
        columns=("metric", "people's shift", "simulated shift", "difference", "verdict"),
        rows=[
            (
                metric_name(s.finding.metric), estimate(s.details.human_shift), estimate(s.details.simulated_shift),
                estimate(s.finding), verdict_words(s.finding),
            )
            for s in shown
        ],
        note=" ".join(notes),
    )  # fmt: skip


def _shift(finding: Finding) -> _Shift | None:
    of = finding.details
    if not isinstance(of, ShiftDetails) or of.human_shift is None:
        return None
    sd = drawable(of.human_sd)
    if not sd or sd < 0:
        return None
    people, simulated = (_moved(side, sd) for side in (of.human_shift, of.simulated_shift))
    if people is None or simulated is None:
        return None
    return _Shift(finding, of, people, simulated, of.human_shift.established is True)


def _moved(shift: Estimate | None, sd: float) -> _Moved | None:
    if shift is None or drawable(shift.estimate) is None:
        return None
    value = drawable((shift.estimate or 0.0) / sd)
    limits = None if shift.interval is None else (shift.interval[0] / sd, shift.interval[1] / sd)
    return None if value is None else _Moved(value, drawable_span(limits))


def _figure_shifts(found: Sequence[_Shift], width: int) -> Figure:
    names = [metric_name(s.finding.metric, limit=32) for s in found]
    rows = forest(names, [verdict_words(s.finding) for s in found], width=width, row_px=32)
    rows.axes.axvline(0, color=MUTED, linewidth=1.2, zorder=1)
    for y, shift in zip(rows.ys, found, strict=True):
        sides = ((shift.people, -0.14, PEOPLE, "o"), (shift.simulated, 0.14, SIMULATED, "s"))
        for moved, offset, color, shape in sides:
            hollow = shape == "o" and not shift.established
            rows.span(moved.interval, y + offset, color=color)
            rows.mark(moved.estimate, y + offset, color=color, shape=shape, hollow=hollow, size=6)
    ends = [end for shift in found for end in shift.ends]
    pad = 0.05 * (max(ends) - min(ends)) + 0.01
    rows.axes.set_xlim(max(-FARTHEST, min(0, *ends) - pad), min(FARTHEST, max(0, *ends) + pad))
    rows.axes.set_xlabel("shift, in standard deviations among people")
    return rows.figure


N_SHOWN = 6
DOSE_HEIGHT_PX = 160
WAYS = {"increase": "people are expected to rise", "decrease": "people are expected to fall"}
DOSE_LEGEND = (("simulated-circle", "mean of the simulated shoppers, with 95 % interval"),)


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
    way = WAYS.get(curve.details.expected or "", "the direction expected of people is not known")
    verdict = verdict_words(finding)
    ends = [f"{number(means[end])} at severity {number(severities[end])}" for end in (0, -1)]
    return draw(
        f"dose-{place}",
        partial(_figure_doses, curve),
        title=metric_name(finding.metric),
        explained=explanation(finding),
        small=True,
        legend=DOSE_LEGEND,
        says=f"From {ends[0]} to {ends[1]}: {verdict}; {way}.",
    )


def _figure_doses(curve: _Curve, width: int) -> Figure:
    severities, means = curve.severities, curve.means
    figure, axes = canvas(width, DOSE_HEIGHT_PX, left=48, right=14, top=10, bottom=38)
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


HEIGHT_PX = 190
MAX_TURNS = 60
SIDES = {"real": ("people", "people", PEOPLE), "simulated": ("simulated shoppers", "simulated", SIMULATED)}
"""Who they are, the prefix of their marks in the style sheet, and their color."""
STYLES = {"control": "-", "treatment": (0, (4, 2.5))}


Curves = Mapping[str, Sequence[Step]]
"""By arm: the proportion of users who are still there after each turn."""


def survival(findings: Sequence[Finding]) -> list[Picture]:
    """Draw the Kaplan-Meier curves of how long users stay, one picture a side."""
    for finding in findings:
        if isinstance(of := finding.details, LeavingDetails):
            sides = {"real": _curves(of.curves.real), "simulated": _curves(of.curves.simulated)}
            names = {"control": name(of.control, limit=24), "treatment": name(of.treatment, limit=24)}
            if drawn := [_picture(side, curves, names) for side, curves in sides.items() if curves]:
                return drawn
    return []


def _curves(side: BothArms | None) -> Curves:
    if side is None:
        return {}
    curves = {
        arm: [step for step in (steps or ())[:MAX_TURNS] if drawable(step.turn) is not None]
        for arm, steps in (("control", side.control), ("treatment", side.treatment))
    }
    return {arm: steps for arm, steps in curves.items() if steps}


def _picture(side: str, curves: Curves, names: Mapping[str, str]) -> Picture:
    who, mark, color = SIDES[side]
    halves = [
        f"after turn {number(turn)} in {names[arm]}"
        for arm, steps in curves.items()
        if (turn := next((step.turn for step in steps if step.survival <= 0.5), None)) is not None
    ]
    return draw(
        f"survival-{side}", partial(_figure_survival, curves, color), title=f"Still there: {who}", small=True,
        says=f"Half of {who} have left {' and '.join(halves)}." if halves else f"Fewer than half of {who} leave.",
        legend=((f"{mark}-solid", names["control"]), (f"{mark}-dashed", names["treatment"])),
    )  # fmt: skip


def _figure_survival(curves: Curves, color: str, width: int) -> Figure:
    figure, axes = canvas(width, HEIGHT_PX, left=44, right=14, top=10, bottom=38)
    for arm, steps in curves.items():
        turns = [0.0, *(step.turn for step in steps)]
        axes.step(
            turns,
            [1.0, *(s.survival for s in steps)],
            where="post",
            color=color,
            linewidth=2,
            linestyle=STYLES[arm],
        )
        low, high = (
            [1.0, *((drawable_span(s.interval) or (s.survival, s.survival))[end] for s in steps)]
            for end in (0, 1)
        )
        axes.fill_between(turns, low, high, step="post", color=color, alpha=0.14, linewidth=0)
    axes.set_ylim(0, 1.03)
    axes.set_xlim(left=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.locator_params(axis="both", nbins=6, integer=False)
    axes.grid(axis="y")
    axes.set_xlabel("turns")
    return figure
