"""What a worse recommender changed: people's shift and the simulated one, metric by metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from convsim.report.html.figures.canvas import MUTED, PEOPLE, SIMULATED, drawable, drawable_span
from convsim.report.html.figures.figure import Picture, draw
from convsim.report.html.figures.forest import MAX_ROWS, forest
from convsim.report.html.text import metric_name
from convsim.report.tables import estimate
from convsim.report.words import VERDICTS
from convsim.schema import Estimate, Finding
from convsim.schema.details import ShiftDetails

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
        notes.append(f"Marks beyond {FARTHEST:g} standard deviations are cut; the numbers hold them.")
    return draw(
        "shifts", partial(_figure, shown), title="People's shift and the simulated one", legend=LEGEND,
        says=f"Shifts from the control arm to the treated one. People's is established in {established} of "
        f"{len(known)} metrics; in {agree} of these the simulated shift goes the same way.",
        columns=("metric", "people's shift", "simulated shift", "difference", "verdict"),
        rows=[
            (
                metric_name(s.finding.metric), estimate(s.details.human_shift), estimate(s.details.simulated_shift),
                estimate(s.finding), VERDICTS[s.finding.verdict],
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


def _figure(found: Sequence[_Shift], width: int) -> Figure:
    names = [metric_name(s.finding.metric, limit=32) for s in found]
    rows = forest(names, [VERDICTS[s.finding.verdict] for s in found], width=width, row_px=32)
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
