"""What all pictures share: a figure measured in pixels, its look, and colors that the page's theme gives."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from convsim.report.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, LINE, PAPER, PEOPLE, SIMULATED = (f"#0a0b0{digit}" for digit in range(1, 7))
VARIABLES = {
    INK: "var(--ink)", MUTED: "var(--muted)", LINE: "var(--line)", PAPER: "var(--card)",
    PEOPLE: "var(--people)", SIMULATED: "var(--simulated)",
}  # fmt: skip
"""Colors that stand for the style sheet's variables, so that one picture serves a light and a dark page."""
FONT_PX, TICK_PX = 12.0, 11.0


MAX_MAGNITUDE = 1e9
"""A larger number cannot be drawn beside others."""


def drawable(value: float | None) -> float | None:
    """Return a number that can be drawn beside others, else None."""
    return value if value is not None and abs(value) <= MAX_MAGNITUDE else None


def drawable_span(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return an interval whose limits can be drawn and are in order, else None."""
    if interval is None or drawable(interval[0]) is None or drawable(interval[1]) is None:
        return None
    return interval if interval[0] <= interval[1] else None


@contextmanager
def drawing() -> Iterator[None]:
    """Set matplotlib up: text stays text and is no formula, and equal input gives equal output."""
    import matplotlib

    look = matplotlib.rc_context(
        {
            "svg.fonttype": "none", "svg.hashsalt": "convsim", "text.parse_math": False, "font.size": FONT_PX,
            "text.color": INK, "axes.edgecolor": LINE, "axes.labelcolor": MUTED, "axes.labelsize": TICK_PX,
            "xtick.color": LINE, "xtick.labelcolor": MUTED, "xtick.labelsize": TICK_PX,
            "ytick.color": LINE, "ytick.labelcolor": MUTED, "ytick.labelsize": TICK_PX,
            "axes.facecolor": "none", "figure.facecolor": "none", "grid.color": LINE, "grid.linewidth": 1.0,
            "axes.axisbelow": True,
        }
    )  # fmt: skip
    with look, warnings.catch_warnings():
        # The reader's browser sets the text; that matplotlib's own font lacks an emoji or a script does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


def canvas(width: int, height: int, *, left: int, right: int, top: int, bottom: int) -> tuple[Figure, Axes]:
    """Return a figure of so many pixels and its axes, inset by margins in pixels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    box = (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    axes = figure.add_axes(box)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, pad=5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: number(value))
    return figure, axes
