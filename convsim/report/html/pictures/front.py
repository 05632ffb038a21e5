"""Realism against cost: each simulator's distance from people over what a conversation costs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from convsim.battery.side_by_side import Comparison, SimulatorReport
from convsim.report.html.pictures.canvas import INK, MUTED, PAPER, PEOPLE, SIMULATED, canvas
from convsim.report.html.pictures.picture import WIDE, Picture, draw
from convsim.report.html.text import name
from convsim.report.words import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_SHOWN = 40
HEIGHT_PX = 380
LOG_RATIO = 20.0
"""From this ratio of the dearest to the cheapest on, the scale of costs is logarithmic."""
AXES = {"cost_usd": "US dollars a conversation", "seconds": "seconds a conversation"}
SHAPES = {"on": ("D", False), "undecided": ("o", True), "off": ("s", False)}
PLACES = {"on": "on the front", "undecided": "undecided", "off": "off the front"}
LEGEND = (
    ("simulated-diamond", PLACES["on"]),
    ("simulated-hollow", PLACES["undecided"]),
    ("simulated-square", PLACES["off"]),
    ("people-band", "people from people, 95 % of the time"),
)

Point = tuple[float, float, SimulatorReport]
"""Cost, distance, and whose they are."""


def front(comparison: Comparison) -> Picture | None:
    """Draw the simulators whose distance and cost are known; None where there is none."""
    points = _points(comparison)
    if comparison.cost_axis is None or not points:
        return None
    shown = points[:MAX_SHOWN]
    on = [name(each.name, limit=40) for _, _, each in points if each.front.place == "on"]
    says = (
        f"Mean Kolmogorov-Smirnov distance from people over {AXES[comparison.cost_axis]} of {len(points)} simulators; "
        f"lower and further left is better. On the front: {', '.join(on[:8]) or 'none for certain'}."
    )
    return draw(
        "front", partial(_figure, shown, AXES[comparison.cost_axis]), title="Realism against cost", says=says,
        legend=LEGEND, columns=("simulator", AXES[comparison.cost_axis], "mean distance", "place"),
        rows=[
            (name(each.name), number(cost), number(distance), PLACES[each.front.place])
            for cost, distance, each in points
        ],
    )  # fmt: skip


def _points(comparison: Comparison) -> list[Point]:
    found = []
    for each in comparison.simulators:
        cost = each.cost.cost_usd if comparison.cost_axis == "cost_usd" else each.cost.seconds
        if cost is not None and each.mean_distance.estimate is not None:
            found.append((cost, each.mean_distance.estimate, each))
    return sorted(found, key=lambda point: (point[0], point[1], point[2].name))


def _figure(points: Sequence[Point], unit: str, width: int) -> Figure:
    wide = width >= WIDE
    figure, axes = canvas(width, HEIGHT_PX, left=56, right=150 if wide else 84, top=10, bottom=44)
    costs = [cost for cost, _, _ in points]
    if min(costs) > 0 and max(costs) / min(costs) >= LOG_RATIO:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: number(value))
        axes.xaxis.set_minor_formatter(lambda value, _: "")
    else:
        axes.set_xlim(0, 1.08 * max(costs) or 1.0)
    floors = [each.mean_distance_floor.q95 for _, _, each in points if each.mean_distance_floor]
    if floors:
        axes.axhspan(0, max(floors), color=PEOPLE, alpha=0.25, linewidth=0, zorder=1)
    on = [(cost, distance) for cost, distance, each in points if each.front.place == "on"]
    axes.step(
        [cost for cost, _ in on], [distance for _, distance in on], where="post", color=MUTED, linewidth=1.2,
        linestyle="--", zorder=2,
    )  # fmt: skip
    for cost, distance, each in points:
        if each.mean_distance.interval is not None:
            axes.plot([cost, cost], each.mean_distance.interval, color=SIMULATED, linewidth=1.8, zorder=3)
        shape, hollow = SHAPES[each.front.place]
        axes.plot(
            [cost], [distance], marker=shape, markersize=8, markeredgewidth=1.6, color=SIMULATED, linestyle="none",
            markerfacecolor=PAPER if hollow else SIMULATED, zorder=4,
        )  # fmt: skip
        axes.annotate(
            name(each.name, limit=24 if wide else 12), (cost, distance), xytext=(8, 4), textcoords="offset points",
            va="bottom", color=INK, annotation_clip=False, zorder=5,
        )  # fmt: skip
    axes.grid(axis="y")
    axes.set_ylim(bottom=0)
    axes.set_xlabel(unit)
    axes.set_ylabel("mean distance from people")
    return figure
