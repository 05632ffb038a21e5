"""Verdicts and numbers in words, and the look of the terminal's tables."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, TypeGuard

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from convsim.evaluation.layout import ALL_METRICS, VERDICT_WORDS, section_of
from convsim.schema import FAILING, Estimate, Finding, Needs, Verdict
from convsim.schema.details import (
    BlindTestDetails,
    CrowdDetails,
    DistanceDetails,
    PrevalenceDetails,
    ShiftDetails,
)

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
Kind = Literal["alike", "different", "undecided", "failed"]
MARKS: dict[Kind, str] = {"alike": "=", "different": "≠", "undecided": "?", "failed": "!"}
"""One character for each kind of verdict, so that none hangs on colour."""
NOT_JUDGED = "not judged"
"""Printed for a metric that is shown for context only."""
ON_AVERAGE = "alike on average"
"""Printed for all metrics together: one of them may differ all the same."""
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
    if (finding.validator, finding.metric) == ALL_METRICS and finding.verdict == "aligned":
        return ON_AVERAGE
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


def kind_of_verdict(verdict: Verdict) -> Kind:
    """Tell which of four kinds a verdict is of."""
    if verdict == "undecided" or verdict == "failed":
        return verdict
    return "different" if verdict in FAILING else "alike"


def needed(finding: Finding) -> str:
    """Write how much more than what was judged would decide, and of which side; empty if unknown.

    Such as "about 340 more simulated", "about 60 more people" or, where only numbers of both sides are known, "about
    120 more of each".
    """
    details = finding.details
    if finding.is_control or finding.verdict != "undecided":
        return ""
    if isinstance(needs := getattr(details, "needs", None), Needs):
        return needs.words
    wanted = details.get("n_to_decide")
    if isinstance(wanted, Mapping):
        return _lacking(finding, wanted)
    if not _is_count(wanted):
        return ""
    if isinstance(details, BlindTestDetails):
        return _more({"answers": wanted}, {"answers": details.n_answers})
    n_personas = details.get("n_personas")
    return _more({"personas": wanted}, {"personas": n_personas if _is_count(n_personas) else 0})


def verdict_and_needs(finding: Finding) -> str:
    """Write a finding's verdict in words and, where it needs more data, how much more of which side if known."""
    more = needed(finding)
    return f"{verdict_words(finding)}: {more}" if more else verdict_words(finding)


SIDES = {"real": "people", "simulated": "simulated", "calibration": "labelled by people"}


def _judged(finding: Finding) -> dict[str, int]:
    """Return how much was judged, under the names that ``n_to_decide`` has; of shifts, in the smaller arm."""
    details, judged = finding.details, {"real": finding.n_real, "simulated": finding.n_simulated}
    if isinstance(details, PrevalenceDetails):
        judged["calibration"] = details.n_calibration
    if isinstance(details, ShiftDetails):
        for side in judged:
            arms = details.n.get(side)
            counts = [n for n in arms.values() if _is_count(n)] if isinstance(arms, Mapping) else []
            judged[side] = min(counts, default=judged[side] // 2)
    return judged


def _lacking(finding: Finding, wanted: Mapping[str, object]) -> str:
    """Write what both sides lack; in shifts, for each arm of a side."""
    judged = {SIDES[side]: n for side, n in _judged(finding).items()}
    more = _more({SIDES[side]: n for side, n in wanted.items() if side in SIDES and _is_count(n)}, judged)
    return f"{more} per arm" if more and isinstance(finding.details, ShiftDetails) else more


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _more(wanted: Mapping[str, int], judged: Mapping[str, int]) -> str:
    """Write what is wanted beyond what was judged, rounded up to two figures."""
    more = {what: _rounded(n - judged.get(what, 0)) for what, n in wanted.items() if n > judged.get(what, 0)}
    if not more:
        return ""
    if set(more) == {"people", "simulated"} and len(set(more.values())) == 1:
        return f"about {more['people']:,} more of each"
    return "about " + " and ".join(f"{n:,} more {what}" for what, n in more.items())


def _rounded(n: int) -> int:
    step = int(10 ** max(len(str(n)) - 2, 0))
    return -(-n // step) * step


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
    if isinstance(details, CrowdDetails):
        return details.level_real if real else details.level_simulated
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


KIND_STYLES: dict[Kind, str] = {
    "alike": "green", "different": "red", "undecided": "yellow", "failed": "bold red",
}  # fmt: skip


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


def filled(
    columns: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    note: str = "",
    *,
    left: Collection[str] = (),
) -> RenderableType:
    """Make a table of rows with an empty line before it and a note under it; columns of ``left`` hold words."""
    made = table(*columns)
    for column in made.columns:
        column.justify = "left" if column.header in left else column.justify
    for row in rows:
        made.add_row(*row)
    below = [Text(note, style="dim")] if note else []
    return Group(Padding(_Fitting(made), (1, 0, 0, 0)), *below)


def verdict(finding: Finding) -> Text:
    """Write a finding's verdict in words and color and, where it needs more data, how much."""
    words = verdict_words(finding)
    if finding.is_control:
        return Text(words, style="dim")
    text = Text(words, style=KIND_STYLES[kind_of_verdict(finding.verdict)])
    return text.append(f": {more}", style="dim") if (more := needed(finding)) else text


def estimate(of: Finding | Estimate | None) -> str:
    """Write an estimate with its interval; a dash where there is none."""
    if of is None:
        return "–"
    written = number(of.estimate, figures=2)
    if of.interval is not None:
        written += f" [{number(of.interval[0], figures=2)}, {number(of.interval[1], figures=2)}]"
    return written
