"""Scorecards and other documents for people: at a terminal and in Markdown."""

from convsim.report.document import read_comparison, read_scorecard
from convsim.report.markdown import to_markdown
from convsim.report.terminal import print_scorecard

__all__ = ["print_scorecard", "read_comparison", "read_scorecard", "to_markdown"]
