"""What all figures share: a matplotlib figure in pixels, themed, as an inline SVG with the same in words."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from convsim.report.tables import number

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, LINE, PAPER, PEOPLE, SIMULATED = (f"#0a0b0{digit}" for digit in range(1, 7))
VARIABLES = {
    INK: "var(--ink)", MUTED: "var(--muted)", LINE: "var(--line)", PAPER: "var(--card)",
    PEOPLE: "var(--people)", SIMULATED: "var(--simulated)",
}  # fmt: skip
SERIES = tuple(f"#0a0b1{digit}" for digit in range(1, 9))
N_SERIES = len(SERIES)
VARIABLES |= {color: f"var(--s{place})" for place, color in enumerate(SERIES, start=1)}
"""Colors that stand for the style sheet's variables, so that one picture serves a light and a dark page."""
FONT_PX, TICK_PX = 12.0, 11.0


def series(place: int) -> str:
    """Return the color of the simulator of a number, from 1; after the last color the first comes again."""
    return SERIES[(place - 1) % N_SERIES]


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
    """Set matplotlib up: text is never read as a formula, and equal input gives equal output."""
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


REFERENCE = re.compile(r"url\(#([^)]+)\)")
FONT = re.compile(r"font-family:[^;]*;? ?")
NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def to_svg(figure: Figure, *, key: str, title: str, says: str) -> Markup:
    """Return the figure as markup; ``key`` keeps its ids apart from those of the page's other pictures."""
    from markupsafe import Markup

    file = io.StringIO()
    figure.savefig(file, format="svg", metadata=NO_METADATA)
    root = ElementTree.fromstring(file.getvalue())
    _tidy(root, key)
    ids = {"title": f"{key}-title", "desc": f"{key}-desc"}
    for place, (tag, text) in enumerate((("title", title), ("desc", says))):
        element = ElementTree.Element(tag, id=ids[tag])
        element.text = text
        root.insert(place, element)
    size = {"viewBox": root.get("viewBox", ""), "role": "img", "aria-labelledby": " ".join(ids.values())}
    root.attrib.clear()
    root.attrib.update(size)
    # ElementTree escapes whatever text the figure carries.
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _tidy(root: ElementTree.Element, key: str) -> None:
    """Drop namespaces, matplotlib's style sheet and the ids that nothing refers to; make colors the theme's."""
    used = set(REFERENCE.findall("".join(value for e in root.iter() for value in e.attrib.values())))
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {_local(name): value for name, value in element.attrib.items()}
        if (target := element.get("href", "")).startswith("#"):
            used.add(target[1:])
    for element in root.iter():
        for child in [child for child in element if child.tag == "style"]:
            element.remove(child)
        identity = element.attrib.pop("id", None)
        if identity in used:
            element.set("id", f"{key}-{identity}")
        for name, value in element.attrib.items():
            element.set(name, _themed(value, key) if name != "id" else value)


def _themed(value: str, key: str) -> str:
    if value.startswith("#") and value not in VARIABLES:
        return f"#{key}-{value[1:]}"
    value = FONT.sub("", REFERENCE.sub(rf"url(#{key}-\1)", value))
    for color, variable in VARIABLES.items():
        value = value.replace(color, variable)
    return value


def _local(name: str) -> str:
    return name.rpartition("}")[2]


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
    explained: str = ""
    """What its title names, where that is a metric."""
    drawn: Callable[[int], Figure] | None = None
    """Makes the figure again, for a width in pixels."""


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
    explained: str = "",
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
        explained: What its title names, where that is a metric.
    """
    with drawing():
        made = [
            to_svg(drawn(width), key=f"{key}-{width}", title=title, says=says)
            for width in ((SMALL,) if small else (WIDE, NARROW))
        ]
    return Picture(
        title, says, made[0], None if small else made[1], legend=legend, columns=columns, rows=rows, note=note,
        explained=explained, drawn=drawn,
    )  # fmt: skip
