"""A picture as the page shows it: drawn for a screen and for a phone, with words and numbers that say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convsim.report.html.figures.canvas import drawing
from convsim.report.html.figures.svg import to_svg

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

WIDE, NARROW, SMALL = 860, 350, 300
"""Pixels: across the page, across a phone, and beside others in a gallery."""


@dataclass(frozen=True)
class Picture:
    """An SVG element with its text alternatives."""

    title: str
    says: str
    """What it shows, in a sentence."""
    wide: Markup
    narrow: Markup | None
    """None where ``wide`` is small enough for a phone."""
    legend: Sequence[tuple[str, str]] = ()
    """The key of a mark (a class of the style sheet) and what it stands for."""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    note: str = ""


def draw(
    key: str,
    drawn: Callable[[int], Figure],
    *,
    title: str,
    says: str,
    small: bool = False,
    legend: Sequence[tuple[str, str]] = (),
    columns: Sequence[str] = (),
    rows: Sequence[Sequence[str]] = (),
    note: str = "",
) -> Picture:
    """Draw a picture.

    Args:
        key: Distinguishes the picture's ids from those of all others in the page.
        drawn: Makes the figure for a width in pixels.
        title: Its name.
        says: What it shows, in a sentence.
        small: Draw it once, for a gallery, and not for a screen and a phone.
        legend: What the marks stand for.
        columns: Of the table that holds the same numbers.
        rows: Of that table.
        note: What else is to be known.
    """
    with drawing():
        made = [
            to_svg(drawn(width), key=f"{key}-{width}", title=title, says=says)
            for width in ((SMALL,) if small else (WIDE, NARROW))
        ]
    return Picture(
        title, says, made[0], None if small else made[1], legend=legend, columns=columns, rows=rows, note=note
    )
