"""Several simulators beside one another: at a terminal, in Markdown, as rows of numbers."""

from convsim.report.side_by_side.markdown import comparison_to_markdown
from convsim.report.side_by_side.rows import to_csv
from convsim.report.side_by_side.terminal import print_comparison

__all__ = ["comparison_to_markdown", "print_comparison", "to_csv"]
