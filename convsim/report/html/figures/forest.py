"""Rows of names with marks on one scale: names stand beside the marks on a screen, above them on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convsim.report.html.figures.canvas import INK, MUTED, PAPER, WIDE, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_ROWS = 40
"""Rows of a picture; tables hold all."""
NAME_PX, NOTE_PX, EDGE_PX = 215, 150, 14
TOP_PX, BOTTOM_PX = 6, 30


@dataclass(frozen=True)
class Forest:
    """Axes whose rows lie at ``ys``."""

    figure: Figure
    axes: Axes
    ys: Sequence[float]

    def mark(
        self, x: float, y: float, *, color: str, shape: str = "o", hollow: bool = False, size: float = 6.5
    ) -> None:
        """Put a mark; a hollow one stands for what is not established."""
        self.axes.plot(
            [x], [y], marker=shape, markersize=size, markeredgewidth=1.6, color=color, linestyle="none",
            markerfacecolor=PAPER if hollow else color, clip_on=True, zorder=4,
        )  # fmt: skip

    def span(self, interval: tuple[float, float] | None, y: float, *, color: str) -> None:
        """Draw an interval where there is one."""
        if interval is not None:
            self.axes.plot(interval, [y, y], color=color, linewidth=1.8, solid_capstyle="butt", zorder=3)


def forest(names: Sequence[str], notes: Sequence[str], *, width: int, row_px: int) -> Forest:
    """Lay out rows for a picture ``width`` pixels wide, with a note at the end of each."""
    beside = width >= WIDE
    row = row_px if beside else row_px + 18
    height = len(names) * row + TOP_PX + BOTTOM_PX
    left, right = (NAME_PX, NOTE_PX) if beside else (EDGE_PX, EDGE_PX)
    figure, axes = canvas(width, height, left=left, right=right, top=TOP_PX, bottom=BOTTOM_PX)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks([])
    axes.grid(axis="x")
    for y, (name, note) in enumerate(zip(names, notes, strict=True)):
        _write(axes, name, y, row, beside=beside, at_end=False)
        _write(axes, note, y, row, beside=beside, at_end=True)
    shift = 0.0 if beside else 9 / row
    return Forest(figure, axes, [y + shift for y in range(len(names))])


def _write(axes: Axes, text: str, y: float, row: int, *, beside: bool, at_end: bool) -> None:
    x, offset = (1.0, 12.0) if at_end else (0.0, -12.0)
    left_aligned = at_end if beside else not at_end
    axes.annotate(
        text, (x, y if beside else y - 0.5 + 10 / row), xycoords=("axes fraction", "data"),
        xytext=(offset if beside else 0.0, 0.0), textcoords="offset points", va="center", annotation_clip=False,
        ha="left" if left_aligned else "right", color=MUTED if at_end else INK,
        bbox=None if beside else {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0},
    )  # fmt: skip
