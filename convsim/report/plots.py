"""The figures of a scorecard or a comparison for a paper or a notebook: matplotlib's own, in print's colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

from convsim._text import refusal
from convsim.errors import InputError
from convsim.evaluation import Comparison, Scorecard
from convsim.evaluation.layout import in_section
from convsim.report.comparison.order import ordered
from convsim.report.html.figures.canvas import NO_METADATA, SERIES, VARIABLES, WIDE, Picture, drawing
from convsim.report.html.figures.closeness import closest_first
from convsim.report.html.figures.distances import distances
from convsim.report.html.figures.pareto import front
from convsim.report.html.figures.reactions import shifts
from convsim.report.html.figures.recognition import recognition

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PRINTED = {
    "var(--ink)": "#1c1e22", "var(--muted)": "#5a5f68", "var(--line)": "#d9d6d0", "var(--card)": "#ffffff",
    "var(--people)": "#0072b2", "var(--simulated)": "#b85000",
    **dict(zip(
        (f"var(--s{place})" for place in range(1, len(SERIES) + 1)),
        ("#b84300", "#7d3c98", "#00704f", "#b0316e", "#7a5200", "#00697f", "#4a5568", "#5c6600"), strict=True,
    )),
}  # fmt: skip
"""The style sheet's colours on paper."""
LINES = ("line", "solid", "dashed", "margin")
FILLS = ("band", "fill")
SHAPES = {"diamond": "D", "square": "s"}


@dataclass(frozen=True)
class Plot:
    """A figure: ``.savefig("figure.pdf")`` writes it, and ``.figure`` is matplotlib's, to be changed at will."""

    figure: Figure
    title: str

    def savefig(self, *args: Any, **options: Any) -> None:
        """Save the figure as matplotlib does: the name's ending tells the format, such as PDF, SVG or PNG."""
        import matplotlib

        # Type 42 is what publishers ask for: fonts embedded whole, and text that can be searched.
        with drawing(), matplotlib.rc_context({"pdf.fonttype": 42, "ps.fonttype": 42}):
            self.figure.savefig(*args, **{"bbox_inches": "tight", **options})

    def _repr_svg_(self) -> str:
        file = StringIO()
        self.savefig(file, format="svg", metadata=NO_METADATA)
        # As wide as there is room for, on a phone too.
        return file.getvalue().replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)


def scorecard_plot(card: Scorecard, what: str | None) -> Plot:
    """Draw one figure of a scorecard.

    Raises:
        InputError: It has none of that name; the message has those that it has.
    """
    found = card.findings
    return _plot(
        what,
        {
            "distances": lambda: distances(in_section(found, "habits")),
            "recognition": lambda: recognition(in_section(found, "recognition")),
            "shifts": lambda: shifts(in_section(found, "shifts")),
        },
    )


def comparison_plot(comparison: Comparison, what: str | None) -> Plot:
    """Draw one figure of a comparison.

    Raises:
        InputError: It has none of that name; the message has those that it has.
    """
    order = ordered(comparison)
    return _plot(what, {"closest": lambda: closest_first(order), "cost": lambda: front(comparison, order)})


def _plot(what: str | None, known: Mapping[str, Callable[[], Picture | None]]) -> Plot:
    if what is not None and what not in known:
        raise InputError(f"there is no plot called {what!r}; {refusal(what, known)}")
    for name in [what] if what is not None else [*known]:
        picture = known[name]()
        if picture is not None and picture.drawn is not None:
            with drawing():
                figure = picture.drawn(WIDE)
                _print_colors(figure)
                _explain(figure, picture)
            return Plot(figure, picture.title)
    asked = f"the plot {what!r}" if what is not None else "a plot"
    raise InputError(f"there is nothing to draw for {asked}: no finding of the kind is in it")


def _explain(figure: Figure, picture: Picture) -> None:
    """Say under the figure what its marks stand for, as the page does in its legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Line2D | Patch] = []
    for key, words in picture.legend:
        first, *own = key.split()
        side, _, kind = first.partition("-")
        color = PRINTED.get(f"var(--{own[0] if own else side})", PRINTED["var(--muted)"])
        if kind in FILLS:
            handles.append(Patch(color=color, alpha=0.42, linewidth=0, label=words))
        elif (kind or side) in LINES:
            dashed = (kind or side) in ("dashed", "margin")
            handles.append(Line2D([], [], color=color, linestyle="--" if dashed else "-", label=words))
        else:
            fill = PRINTED["var(--card)"] if kind == "hollow" else color
            handles.append(
                Line2D(
                    [],
                    [],
                    color=color,
                    marker=SHAPES.get(kind, "o"),
                    markerfacecolor=fill,
                    linestyle="none",
                    label=words,
                )
            )
    if handles:
        figure.legend(
            handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False,
            labelcolor=PRINTED["var(--ink)"], fontsize="small",
        )  # fmt: skip


def _print_colors(figure: Figure) -> None:
    """Give everything drawn the colours of print in place of those that stand for a theme's."""
    from matplotlib.colors import to_hex, to_rgba

    paint = {color: PRINTED[variable] for color, variable in VARIABLES.items()}

    def printed(color: Any) -> Any:
        red, green, blue, alpha = to_rgba(color)
        return to_rgba(paint.get(to_hex((red, green, blue)), (red, green, blue)), alpha)

    for artist in figure.findobj():
        for part in ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor"):
            get, put = getattr(artist, f"get_{part}", None), getattr(artist, f"set_{part}", None)
            if get is None or put is None:
                continue
            color = get()
            if isinstance(color, str | tuple) and color not in ("none", "auto", "inherit"):
                put(printed(color))
    figure.set_facecolor(PRINTED["var(--card)"])
