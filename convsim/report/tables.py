"""Verdicts and numbers in words, and the look of the terminal's tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from convsim.evaluation.layout import VERDICT_WORDS, section_of
from convsim.schema import FAILING, Estimate, Finding, Verdict
from convsim.schema.details import DistanceDetails, ShiftDetails

SideName = Literal["real", "simulated"]

VERDICTS: dict[Verdict, str] = {
    "aligned": "alike",
    "different": "different",
    "undecided": "needs more data",
    "reacts_as_people": "reacts as people do",
    "does_not_react": "does not react",
    "under_reacts": "under-reacts",
    "over_reacts": "over-reacts",
    "reacts_wrong_way": "reacts the wrong way",
    "copies": "copies",
    "failed": "failed",
}
NOT_JUDGED = "not judged"
"""Printed for a metric that is shown for context only."""
NOT_MEASURED = "cannot be measured"
"""Printed for a metric without a value on a side: more data would not give it one."""


def is_not_measured(finding: Finding) -> bool:
    """Tell whether a metric has no value on a side: no word list for the language, no endings, other labels."""
    undecided = finding.verdict == "undecided" and finding.estimate is None
    return undecided and isinstance(finding.details, DistanceDetails)


def verdict_words(finding: Finding) -> str:
    """Write a finding's verdict in words."""
    if finding.is_control:
        return NOT_JUDGED
    if is_not_measured(finding):
        return NOT_MEASURED
    section = section_of(finding)
    own = VERDICT_WORDS.get(section, {}) if section else {}
    return own.get(finding.verdict, VERDICTS[finding.verdict])


def number(value: object, *, figures: int = 3) -> str:
    """Write a number to some figures; a dash where there is none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return "–"
    return f"{value:.{figures}g}" if abs(value) < 10**figures else f"{value:,.0f}"


def percent(proportion: float | None) -> str:
    """Write a proportion in per cent, to a tenth; a dash where there is none."""
    if proportion is None:
        return "–"
    return "< 0.1 %" if 0 < proportion < 0.001 else f"{round(100 * proportion, 1):g} %"


def counted(n: int, one: str, many: str) -> str:
    """Write a number and the form of a word or phrase that goes with it."""
    return f"{n:,} {one if n == 1 else many}"


def needed(finding: Finding) -> str:
    """Write about how many real and simulated conversations (or personas) would decide; empty if unknown."""
    wanted = finding.details.get("n_to_decide")
    if finding.is_control or finding.verdict != "undecided":
        return ""
    if isinstance(wanted, Mapping):
        return " + ".join(map(number, wanted.values()))
    return number(wanted) if isinstance(wanted, int | float) else ""


def interval(finding: Finding) -> str:
    """Write a finding's interval, or a dash."""
    return f"[{number(finding.interval[0])}, {number(finding.interval[1])}]" if finding.interval else "–"


def side(finding: Finding, name: SideName) -> str:
    """Write one side of a comparison: its mean, or its shift from one arm to another."""
    return number(value_of_side(finding, name))


def value_of_side(finding: Finding, name: SideName) -> float | None:
    """Return one side's mean, or its shift; None where the finding has none."""
    details, real = finding.details, name == "real"
    if isinstance(details, DistanceDetails):
        return (details.real if real else details.simulated).mean
    if isinstance(details, ShiftDetails):
        shift = details.human_shift if real else details.simulated_shift
        return shift.estimate if shift else None
    return None


def baseline(finding: Finding) -> str:
    """Write the human baseline: how far two random groups of people differ, 95 % point; a dash where there is none."""
    return number(finding.noise_floor.q95) if finding.noise_floor else "–"


def measured(finding: Finding) -> str:
    """Write all that a finding measured: its estimate, unit, interval and human baseline, as far as it has them."""
    if finding.estimate is None:
        return ""
    parts = [f"{number(finding.estimate)} {finding.unit}".strip()]
    if finding.interval:
        parts.append(f"{finding.level:.0%} interval {interval(finding)}")
    if finding.noise_floor:
        parts.append(f"human baseline {baseline(finding)}")
    return ", ".join(parts)


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


NARROW = 100
"""A terminal of fewer columns than this has no room for wide gaps where cells must be wrapped."""


class _Fitting:
    """A table that, where it is too wide, wraps its cells between words, and moves its columns together if it must."""

    def __init__(self, made: Table):
        self.made = made

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        ranges = [_range(console, column) for column in self.made.columns]
        for pad in (1, 0):
            self.made.padding = (0, pad)
            room = options.max_width - (2 * pad + 1) * (len(ranges) - 1)
            wraps = pad == 0 or options.max_width >= NARROW
            if sum(least if wraps else longest for least, longest in ranges) <= room:
                for column, width in zip(self.made.columns, _widths(ranges, room), strict=True):
                    column.width = width
                break
        yield self.made


def _range(console: Console, column: Column) -> tuple[int, int]:
    """Return a column's longest word and longest line; a name is one word."""
    cells = [Measurement.get(console, console.options, cell) for cell in (column.header, *column.cells)]
    longest = max(cell.maximum for cell in cells)
    return longest if column.no_wrap else max(cell.minimum for cell in cells), longest


def _widths(ranges: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Take from the widest column, as long as it stays as wide as its longest word, until all fit."""
    widths = [longest for _, longest in ranges]
    while sum(widths) > room:
        free = [place for place, (least, _) in enumerate(ranges) if widths[place] > least]
        widths[max(free, key=widths.__getitem__)] -= 1
    return widths


def filled(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], note: str = "") -> RenderableType:
    """Make a table of rows with an empty line before it and a note under it."""
    made = table(*columns)
    for row in rows:
        made.add_row(*row)
    below = [Text(note, style="dim")] if note else []
    return Group(Padding(_Fitting(made), (1, 0, 0, 0)), *below)


def verdict(finding: Finding) -> Text:
    """Write a finding's verdict in words and color and, where it needs more data, how much."""
    words = verdict_words(finding)
    if finding.is_control:
        return Text(words, style="dim")
    text = Text(words, style="red" if finding.verdict in FAILING else STYLES[finding.verdict])
    return text.append(f" ({more})", style="dim") if (more := needed(finding)) else text


def estimate(of: Finding | Estimate | None) -> str:
    """Write an estimate with its interval; a dash where there is none."""
    if of is None:
        return "–"
    written = number(of.estimate, figures=2)
    if of.interval is not None:
        written += f" [{number(of.interval[0], figures=2)}, {number(of.interval[1], figures=2)}]"
    return written
