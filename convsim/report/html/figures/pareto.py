"""Realism against cost: each simulator's distance from people over what a conversation costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from convsim.evaluation import Comparison, SimulatorReport
from convsim.report.html.figures.canvas import (
    MUTED,
    N_SERIES,
    PAPER,
    PEOPLE,
    Picture,
    canvas,
    draw,
    series,
)
from convsim.report.html.text import name
from convsim.report.tables import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_SHOWN = 40
MAX_COST = 1e9
"""A dearer conversation is a mistake in a file, and would leave no room to the others."""
HEIGHT_PX = 380
BASELINE_PX = 18.0
GAP_PX, LINE_PX, LETTER_PX = 8.0, 14.0, 7.0
"""From a mark to its name, from one name to the next, and about what a letter takes."""
LOG_RATIO = 20.0
"""From this ratio of the dearest to the cheapest on, the scale of costs is logarithmic."""
AXES = {"cost_usd": "US dollars per conversation", "seconds": "seconds per conversation"}
SHAPES = {"on": ("D", False), "undecided": ("o", True), "off": ("s", False)}
PLACES = {"on": "on the Pareto front", "undecided": "needs more data", "off": "not on the Pareto front"}
LEGEND = (
    ("series-diamond", PLACES["on"]),
    ("series-hollow", PLACES["undecided"]),
    ("series-square", PLACES["off"]),
    ("people-solid", "human baseline: two groups of people of these sizes differ by less, 95 % of the time"),
)

Point = tuple[float, float, SimulatorReport]
"""Cost, distance, and whose they are."""
Numbers = Mapping[str, int]
"""Of simulators, by name."""


def front(comparison: Comparison, order: Sequence[SimulatorReport]) -> Picture | None:
    """Draw the simulators whose distance and cost are known; None where there is none.

    A mark has its simulator's number, which the legend explains: names would cover one another.
    """
    numbers = {each.name: place for place, each in enumerate(order, start=1)}
    points = _points(comparison)
    shown = [point for point in points if point[0] <= MAX_COST][:MAX_SHOWN]
    if comparison.cost_axis is None or not shown:
        return None
    n_hidden = len(points) - len(shown)
    on = [name(each.name, limit=40) for _, _, each in points if each.front.place == "on"]
    says = (
        f"Mean Kolmogorov-Smirnov distance from people over {AXES[comparison.cost_axis]} of {len(points)} simulators; "
        f"lower and further left is better. On the Pareto front: {', '.join(on[:8]) or 'none'}."
    )
    return draw(
        "front", partial(front_figure, shown, numbers, AXES[comparison.cost_axis]),
        title="Mean distance from people over cost", says=says, legend=(*LEGEND, *_names(shown, numbers)),
        columns=("simulator", AXES[comparison.cost_axis], "mean distance", "human baseline", "Pareto front"),
        rows=[
            (
                f"{numbers[each.name]} {name(each.name)}", number(cost), number(distance), _baseline(each),
                PLACES[each.front.place],
            )
            for cost, distance, each in points
        ],
        note=f"{n_hidden} of {len(points)} simulators, the dearest, are not drawn." if n_hidden else "",
    )  # fmt: skip


def _baseline(each: SimulatorReport) -> str:
    return number(each.mean_distance_floor.q95 if each.mean_distance_floor else None)


def _points(comparison: Comparison) -> list[Point]:
    found = []
    for each in comparison.simulators:
        cost = each.cost.cost_usd if comparison.cost_axis == "cost_usd" else each.cost.seconds
        if cost is not None and each.mean_distance.estimate is not None:
            found.append((cost, each.mean_distance.estimate, each))
    return sorted(found, key=lambda point: (point[0], point[1], point[2].name))


def _names(points: Sequence[Point], numbers: Numbers) -> list[tuple[str, str]]:
    """Return the legend's entries of the simulators that are drawn, by number."""
    found = sorted((numbers[each.name], name(each.name, limit=60)) for _, _, each in points)
    return [(f"series-dot s{(place - 1) % N_SERIES + 1}", f"{place} {called}") for place, called in found]


def front_figure(points: Sequence[Point], numbers: Numbers, unit: str, width: int) -> Figure:
    """Draw numbered marks for a picture ``width`` pixels wide."""
    figure, axes = canvas(width, HEIGHT_PX, left=56, right=24, top=18, bottom=44)
    _set_scales(axes, points)
    on = [(cost, distance) for cost, distance, each in points if each.front.place == "on"]
    axes.step(
        [cost for cost, _ in on], [distance for _, distance in on], where="post", color=MUTED, linewidth=1.2,
        linestyle="--", zorder=2,
    )  # fmt: skip
    for cost, distance, each in points:
        # Each has a baseline of its own: one for all would put a large sample within what is chance for a small one.
        if each.mean_distance_floor is not None:
            axes.plot(
                [cost], [each.mean_distance_floor.q95], color=PEOPLE, marker="_", markersize=BASELINE_PX,
                markeredgewidth=3, linestyle="none", zorder=1,
            )  # fmt: skip
        if each.mean_distance.interval is not None:
            axes.plot(
                [cost, cost],
                each.mean_distance.interval,
                color=series(numbers[each.name]),
                linewidth=1.8,
                zorder=3,
            )
        shape, hollow = SHAPES[each.front.place]
        color = series(numbers[each.name])
        axes.plot(
            [cost], [distance], marker=shape, markersize=8, markeredgewidth=1.6, color=color, linestyle="none",
            markerfacecolor=PAPER if hollow else color, zorder=4,
        )  # fmt: skip
    axes.grid(axis="y")
    axes.set_ylim(bottom=0)
    axes.set_xlabel(unit)
    axes.set_ylabel("mean distance from people")
    _number(axes, points, numbers)
    return figure


def _set_scales(axes: Axes, points: Sequence[Point]) -> None:
    """Count costs from 0, or on a logarithmic scale where the dearest is many times the cheapest."""
    costs = [cost for cost, _, _ in points]
    if min(costs) > 0 and max(costs) / min(costs) >= LOG_RATIO:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: number(value))
        axes.xaxis.set_minor_formatter(lambda value, _: "")
    else:
        axes.set_xlim(0, 1.08 * max(costs) or 1.0)


def _number(axes: Axes, points: Sequence[Point], numbers: Numbers) -> None:
    """Write numbers beside their marks, towards the middle; one that would cover another moves up."""
    box = axes.get_window_extent()
    placed = [(axes.transData.transform(point[:2]), point) for point in points]
    taken = [(x - GAP_PX, x + GAP_PX, y - LINE_PX / 2) for (x, y), _ in placed]
    for (x, y), (cost, distance, each) in sorted(placed, key=lambda mark: float(mark[0][1])):
        said = str(numbers[each.name])
        to_left = x > (box.x0 + box.x1) / 2
        long = LETTER_PX * len(said)
        start = x - GAP_PX - long if to_left else x + GAP_PX
        at = y + GAP_PX / 2
        for left, right, other in sorted(taken, key=lambda place: place[2]):
            if start < right and left < start + long and abs(at - other) < LINE_PX:
                at = other + LINE_PX
        taken.append((start, start + long, at))
        axes.annotate(
            said, (cost, distance), xytext=(-GAP_PX if to_left else GAP_PX, at - y),
            textcoords="offset points", ha="right" if to_left else "left", va="bottom",
            color=series(numbers[each.name]), fontweight="bold",
            annotation_clip=False, zorder=5,
        )  # fmt: skip
