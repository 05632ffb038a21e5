"""A scorecard or a comparison at a glance: a screen of printable text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from convsim._text import plain
from convsim.evaluation import Comparison
from convsim.evaluation.scorecard import Scorecard, SideSummary
from convsim.report.answers import answers, whole_line
from convsim.report.comparison.sentences import sentences
from convsim.report.comparison.sentences import warnings as all_warnings
from convsim.report.comparison.tables import overview
from convsim.report.gaps import words as gap_words
from convsim.report.headline import headline
from convsim.report.tables import baseline, interval, needed, number, verdict_and_needs, verdict_words
from convsim.schema import FAILING, Finding

WIDTH = 100
MAX_LINES = 40
GAP = 3
"""Blanks between two columns."""
MAX_SHOWN = 3
"""Warnings and sentences on a screen; each is cut to a line or two."""
MAX_SIDES = 8
MAX_CELL = 40
HEADER = 2
"""Lines of a table's header."""
MAX_VERDICT = 26
"""What is left for it beside a long name and four numbers."""
COLUMNS = ("validator", "metric", "estimate", "interval", "baseline", "verdict")
NUMBERS = frozenset({"estimate", "interval", "baseline"})


def scorecard_text(card: Scorecard) -> str:
    """Write a scorecard in a screen, at most 40 lines of 100 columns: the answer, then findings, failures first."""
    above = [*_answer(card), *_sides(card), *_some(f"warning: {_line(warning)}" for warning in card.warnings)]
    below = [_line(said, limit=WIDTH) for said in gap_words(card)]
    below += _wrapped(_line(headline(card), limit=4 * WIDTH))
    room = MAX_LINES - len(above) - len(below) - HEADER
    room -= len(card.findings) > room  # a line that says what is left out
    rows = [_row(finding, room=MAX_VERDICT) for finding in _first(card.findings, room)]
    left = len(card.findings) - len(rows)
    more = [f"and {left} more; .to_frame() has them all"] if left else []
    return "\n".join([*above, *_drawn(_table(COLUMNS, rows)), *more, *below])


def comparison_text(comparison: Comparison) -> str:
    """Write a comparison in a screen, at most 40 lines: an overview, one row per simulator, and the conclusions."""
    sides = [("people", comparison.people.side), *((each.name, each.side) for each in comparison.simulators)]
    above = [_side(name, side) for name, side in sides[: MAX_SIDES + 1]]
    above += _some(f"warning: {_line(warning)}" for warning in all_warnings(comparison))
    table = overview(comparison)
    said = [
        line
        for sentence in sentences(comparison)[:MAX_SHOWN]
        for line in _wrapped(_line(sentence, limit=2 * WIDTH))
    ]
    rows = [[_line(cell, limit=MAX_CELL) for cell in row] for row in table.rows[:MAX_SIDES]]
    left = len(comparison.simulators) - len(rows)
    more = [f"and {left} more simulators; .to_frame() has them all"] if left else []
    drawn = [line for part in _parts(table.columns, rows) for line in _drawn(part)]
    lines = [*above, *drawn, *more, *said]
    return "\n".join(lines[:MAX_LINES])


def _answer(card: Scorecard) -> Iterator[str]:
    """Yield the line for the whole and one for each headline, each with its mark."""
    if not card.headlines:
        return
    yield _line(whole_line(card).plain, limit=2 * WIDTH)
    for each in answers(card):
        decided_by = f" ({each.decided_by})" if each.decided_by else ""
        yield _line(f"{each.mark} {each.name}: {each.words}{decided_by}", limit=WIDTH)


def _sides(card: Scorecard) -> Iterator[str]:
    if card.real is not None:
        yield _side("real", card.real)
    yield _side("simulated", card.simulated)


def _side(name: str, side: SideSummary) -> str:
    who = f", {_line(side.simulator, limit=60)}" if side.simulator else ""
    return _line(f"{_line(name, limit=MAX_CELL):>9}  {side.n} conversations{who}", limit=WIDTH, strip=False)


def _first(findings: Sequence[Finding], room: int) -> list[Finding]:
    """Return the findings in their order where all have room, else those that fail before the others."""
    if len(findings) <= room:
        return [*findings]
    ranked = sorted(range(len(findings)), key=lambda n: _rank(findings[n]))
    return [findings[n] for n in ranked[: max(room, 0)]]


def _rank(finding: Finding) -> int:
    if finding.is_control:
        return 3
    if finding.verdict in FAILING or finding.verdict == "failed":
        return 0
    return 1 if finding.verdict == "undecided" else 2


def _row(finding: Finding, *, room: int | None = None) -> list[str]:
    names = (_line(finding.validator, limit=MAX_CELL), _line(finding.metric, limit=MAX_CELL))
    return [*names, number(finding.estimate), interval(finding), baseline(finding), _verdict(finding, room)]


def _verdict(finding: Finding, room: int | None) -> str:
    """Write the verdict and what is lacking; the words alone where a number of characters has no room for both."""
    both, words = verdict_and_needs(finding), verdict_words(finding)
    if room is None or len(both) <= room:
        return both
    short = f"needs ~{needed(finding).removeprefix('about ')}"
    return short if both != words and len(short) <= room else words


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for place, column in enumerate(columns):
        table.add_column(
            Text(column), no_wrap=True, overflow="ellipsis", justify="right" if column in NUMBERS else "left",
            min_width=4 if place else 8,
        )  # fmt: skip
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _parts(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Table]:
    """Yield a table whole, or, where it is too wide, in parts that each begin with its first column."""
    widths = [max(map(cell_len, column)) + GAP for column in zip(columns, *rows, strict=True)]
    kept = [0]
    for place in range(1, len(columns)):
        if len(kept) > 1 and sum(widths[n] for n in (*kept, place)) > WIDTH + GAP:
            yield _table([columns[n] for n in kept], [[row[n] for n in kept] for row in rows])
            kept = [0]
        kept.append(place)
    yield _table([columns[n] for n in kept], [[row[n] for n in kept] for row in rows])


def _drawn(part: RenderableType) -> list[str]:
    console = Console(
        file=StringIO(),
        width=WIDTH,
        color_system=None,
        force_terminal=False,
        highlight=False,
        legacy_windows=False,
    )
    with console.capture() as captured:
        console.print(part)
    return [line.rstrip() for line in captured.get().splitlines() if line.strip()]


def _wrapped(text: str) -> list[str]:
    return _drawn(Text(text))


def _some(lines: Iterable[str]) -> list[str]:
    every = [*lines]
    more = [f"and {len(every) - MAX_SHOWN} more warnings"] if len(every) > MAX_SHOWN else []
    return [*every[:MAX_SHOWN], *more]


def _line(text: str, *, limit: int = WIDTH - 10, strip: bool = True) -> str:
    one = " ".join(plain(text, limit=4 * limit).split()) if strip else text
    if len(one) <= limit:
        return one
    cut = one[: limit - 1]
    return f"{cut[: at if (at := cut.rfind(' ')) > limit // 2 else len(cut)]}…"  # between words where there are some
