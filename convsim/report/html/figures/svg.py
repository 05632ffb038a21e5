"""Turns a matplotlib figure into an inline SVG element: themed, with its own ids, a title and a description."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from convsim.report.html.figures.canvas import VARIABLES

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

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
