"""How long people and simulated shoppers stay with a good agent and with a bad one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from convsim.contracts import Finding
from convsim.report.html.details import a_list, a_number, a_part, an_interval, an_object
from convsim.report.html.pictures.canvas import PEOPLE, SIMULATED, canvas
from convsim.report.html.pictures.picture import Picture, draw
from convsim.report.html.text import name
from convsim.report.words import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEIGHT_PX = 190
MAX_TURNS = 60
SIDES = {"real": ("people", "people", PEOPLE), "simulated": ("simulated shoppers", "simulated", SIMULATED)}
"""Who they are, the prefix of their marks in the style sheet, and their color."""
STYLES = {"control": "-", "treatment": (0, (4, 2.5))}


class Step(NamedTuple):
    """The share of users who are still there after a turn."""

    turn: float
    stays: float
    interval: tuple[float, float] | None


Curves = Mapping[str, Sequence[Step]]


def survival(findings: Sequence[Finding]) -> list[Picture]:
    """Draw the Kaplan-Meier curves of ``hazard_of_leaving``, one picture a side."""
    for finding in findings:
        curves = {side: _curves(finding, side) for side in SIDES}
        if finding.metric == "hazard_of_leaving" and any(curves.values()):
            names = {arm: name(str(finding.details.get(arm) or arm), limit=24) for arm in STYLES}
            return [_picture(side, drawn, names) for side, drawn in curves.items() if drawn]
    return []


def _curves(finding: Finding, side: str) -> Curves:
    listed = a_part(finding, "curves", side)
    curves = {arm: list(map(_step, map(an_object, a_list(listed.get(arm))[:MAX_TURNS]))) for arm in STYLES}
    return {arm: [step for step in steps if step is not None] for arm, steps in curves.items() if any(steps)}


def _step(entry: Mapping[str, object]) -> Step | None:
    turn, stays = a_number(entry.get("turn")), a_number(entry.get("survival"))
    return None if turn is None or stays is None else Step(turn, stays, an_interval(entry.get("interval")))


def _picture(side: str, curves: Curves, names: Mapping[str, str]) -> Picture:
    who, mark, color = SIDES[side]
    halves = [
        f"after turn {number(turn)} in {names[arm]}"
        for arm, steps in curves.items()
        if (turn := next((step.turn for step in steps if step.stays <= 0.5), None)) is not None
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
            [1.0, *(s.stays for s in steps)],
            where="post",
            color=color,
            linewidth=2,
            linestyle=STYLES[arm],
        )
        low, high = ([1.0, *((s.interval or (s.stays, s.stays))[end] for s in steps)] for end in (0, 1))
        axes.fill_between(turns, low, high, step="post", color=color, alpha=0.14, linewidth=0)
    axes.set_ylim(0, 1.03)
    axes.set_xlim(left=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.locator_params(axis="both", nbins=6, integer=False)
    axes.grid(axis="y")
    axes.set_xlabel("turns")
    return figure
