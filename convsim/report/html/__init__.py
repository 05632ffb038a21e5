"""The scorecard as a page: one file that opens from disk, with pictures and the conversations behind the numbers."""

from convsim.report.html.page import to_html
from convsim.report.html.transcripts import find_transcripts

__all__ = ["find_transcripts", "to_html"]
