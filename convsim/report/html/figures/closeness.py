"""How far each simulator is from people on average, the closest first, with its seeds and the human baseline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from convsim.evaluation import SimulatorReport
from convsim.report.comparison.order import distance_of, seeds_of
from convsim.report.html.figures.canvas import PEOPLE, Picture, draw, drawable_span, series
from convsim.report.html.figures.forest import forest
from convsim.report.html.text import name
from convsim.report.tables import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW_PX = 30
MAX_SHOWN = 40
LEGEND = (
    ("series-line", "a simulator, with its 95 % interval"),
    ("people-band", "human baseline: two groups of people of these sizes differ by less, 95 % of the time"),
)
SEEDS = (("series-hollow", "one of its seeds alone"),)


def closest_first(order: Sequence[SimulatorReport]) -> Picture | None:
    """Draw the simulators, in the order of their numbers; None where no distance is known."""
    known = [
        (place, each) for place, each in enumerate(order, start=1) if each.mean_distance.estimate is not None
    ]
    if not known:
        return None
    shown = known[:MAX_SHOWN]
    nearest = name(known[0][1].name, limit=40)
    hidden = len(known) - len(shown)
    return draw(
        "closest", partial(closeness_figure, shown),
        title="Mean distance from people", says=(
            f"Mean Kolmogorov-Smirnov distance from people of {len(known)} simulators, the closest first: {nearest}."
        ),
        legend=(*LEGEND, *(SEEDS if any(each.seeds for _, each in shown) else ())),
        columns=("simulator", "distance", "human baseline", "seeds"),
        rows=[
            (f"{place} {name(each.name)}", distance_of(each), _baseline(each), seeds_of(each))
            for place, each in known
        ],
        note=f"{hidden} more are in the table." if hidden else "",
    )  # fmt: skip


def closeness_figure(shown: Sequence[tuple[int, SimulatorReport]], width: int) -> Figure:
    """Draw simulators with their numbers as rows of a picture ``width`` pixels wide."""
    names = [f"{place}  {name(each.name, limit=26)}" for place, each in shown]
    made = forest(names, [distance_of(each) for _, each in shown], width=width, row_px=ROW_PX)
    ends = [0.0]
    for (place, each), y in zip(shown, made.ys, strict=True):
        color = series(place)
        if each.mean_distance_floor is not None:
            made.axes.plot(
                [0, each.mean_distance_floor.q95], [y, y], color=PEOPLE, alpha=0.42, linewidth=11,
                solid_capstyle="butt", zorder=1,
            )  # fmt: skip
        span = drawable_span(each.mean_distance.interval)
        made.span(span, y, color=color)
        estimate = each.mean_distance.estimate or 0.0
        made.mark(estimate, y, color=color)
        seeds = [run.mean_distance.estimate for run in each.seeds if run.mean_distance.estimate is not None]
        for seed in seeds:
            made.mark(seed, y, color=color, hollow=True, size=4.5)
        ends += [estimate, *(span or ()), *seeds]
    made.axes.set_xlim(0, 1.04 * max(ends) or 1.0)
    return made.figure


def _baseline(each: SimulatorReport) -> str:
    return number(each.mean_distance_floor.q95 if each.mean_distance_floor else None, figures=2)
