"""How long people and simulated shoppers stay with a good agent and with a bad one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from convsim.report.html.figures.canvas import PEOPLE, SIMULATED, canvas, drawable, drawable_span
from convsim.report.html.figures.figure import Picture, draw
from convsim.report.html.text import name
from convsim.report.words import number
from convsim.schema import Finding
from convsim.schema.details import Curves as BothArms
from convsim.schema.details import LeavingDetails, Step

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEIGHT_PX = 190
MAX_TURNS = 60
SIDES = {"real": ("people", "people", PEOPLE), "simulated": ("simulated shoppers", "simulated", SIMULATED)}
"""Who they are, the prefix of their marks in the style sheet, and their color."""
STYLES = {"control": "-", "treatment": (0, (4, 2.5))}


Curves = Mapping[str, Sequence[Step]]
"""By arm: the share of users who are still there after each turn."""


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
        f"survival-{side}", partial(_figure, curves, color), title=f"Still there: {who}", small=True,
        says=f"Half of {who} have left {' and '.join(halves)}." if halves else f"Fewer than half of {who} leave.",
        legend=((f"{mark}-solid", names["control"]), (f"{mark}-dashed", names["treatment"])),
    )  # fmt: skip


def _figure(curves: Curves, color: str, width: int) -> Figure:
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
