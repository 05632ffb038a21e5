"""One kind of picture a file; each becomes an inline SVG element that follows the page's theme."""

from convsim.report.html.figures.canvas import Picture

__all__ = ["Picture"]
