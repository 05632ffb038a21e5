"""What the terminal's tables have in common: their look, and how a verdict is written in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from convsim.report.words import VERDICTS, number
from convsim.schema import FAILING, Estimate, Finding

STYLES = {"aligned": "green", "reacts_as_people": "green", "undecided": "yellow", "failed": "bold red"}


def table(*columns: str) -> Table:
    """Make an empty table; the first and the last column hold words, the others numbers."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for index, column in enumerate(columns):
        name = index == 0
        made.add_column(
            column,
            justify="left" if name or index == len(columns) - 1 else "right",
            overflow="ellipsis" if name else "fold",
            no_wrap=name,
        )
    return made


def filled(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], note: str = "") -> RenderableType:
    """Make a table of rows with an empty line before it and a note under it."""
    made = table(*columns)
    for row in rows:
        made.add_row(*row)
    below = [Text(note, style="dim")] if note else []
    return Group(Padding(made, (1, 0, 0, 0)), *below)


def verdict(finding: Finding) -> Text:
    """Write a finding's verdict in words and color."""
    if finding.is_control:
        return Text("control", style="dim")
    return Text(
        VERDICTS[finding.verdict], style="red" if finding.verdict in FAILING else STYLES[finding.verdict]
    )


def estimate(of: Finding | Estimate | None) -> str:
    """Write an estimate with its interval; a dash where there is none."""
    if of is None:
        return "–"
    written = number(of.estimate, figures=2)
    if of.interval is not None:
        written += f" [{number(of.interval[0], figures=2)}, {number(of.interval[1], figures=2)}]"
    return written
