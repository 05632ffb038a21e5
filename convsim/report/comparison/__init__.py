"""Several simulators beside one another: at a terminal, in Markdown, as rows of numbers."""

from convsim.report.comparison.markdown import comparison_to_markdown, spreadsheet_text, to_csv
from convsim.report.comparison.terminal import print_comparison

__all__ = ["comparison_to_markdown", "print_comparison", "spreadsheet_text", "to_csv"]
