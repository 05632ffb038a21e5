"""What got better and what got worse, in words: rows, notes, and a line for each that is worse."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import RenderableType

from convsim._text import plain
from convsim.report.tables import counted, filled, number
from convsim.schema.versions import Course, Moved, Versions

COURSES: dict[Course, str] = {"better": "better", "worse": "worse", "no_change": "no change shown"}
CHANGES = ("headline or metric", "before", "after", "change", "95 % interval", "p", "verdict", "means")
MAX_NAME = 80
MAX_SHOWN = 40


def title(moved: Moved) -> str:
    """Name what moved."""
    return f"{moved.kind} {plain(moved.name, limit=MAX_NAME)}"


def change_row(moved: Moved) -> tuple[str, ...]:
    """Write a headline or a metric as cells under ``CHANGES``."""
    low_high = f"[{number(moved.interval[0])}, {number(moved.interval[1])}]" if moved.interval else "–"
    return (
        title(moved), number(moved.before), number(moved.after), number(moved.change), low_high,
        probability(moved.p_adjusted), COURSES[moved.course], means(moved),
    )  # fmt: skip


def probability(p_value: float | None, *, sign: str = "") -> str:
    """Write a p-value, ``sign`` before it where it is not below what is told apart."""
    return "< 0.0001" if p_value is not None and p_value < 0.0001 else f"{sign}{number(p_value)}"


def means(moved: Moved) -> str:
    """Write a metric's means before, after and among people; empty of a headline."""
    if moved.levels is None:
        return ""
    before, after, people = map(number, moved.levels)
    unit = f" {plain(moved.levels_unit, limit=MAX_NAME)}" if moved.levels_unit else ""
    return f"{before} → {after}{unit}, people {people}"


def version_line(versions: Versions) -> str:
    """Say in a line what got better and what got worse."""
    worse, better = (
        [each for each in part if each.kind == "metric"] for part in (versions.worse, versions.better)
    )
    whole = [title(each) for each in versions.worse if each.kind == "headline"]
    good = [title(each) for each in versions.better if each.kind == "headline"]
    same = sum(each.kind == "metric" and each.course == "no_change" for each in versions.moved)
    parts = [
        *([f"worse: {', '.join(whole)}"] if whole else []),
        *([f"better: {', '.join(good)}"] if good else []),
        f"{counted(len(worse), 'metric', 'metrics')} worse",
        f"{len(better)} better",
        f"{same} without a shown change",
    ]
    return (
        f"from {plain(versions.before, limit=200)} to {plain(versions.after, limit=200)}: {'; '.join(parts)}"
    )


def version_notes(versions: Versions) -> list[str]:
    """Say what the numbers are, and how sure the test is."""
    paired = f" {counted(versions.n_paired, 'user or persona is', 'users or personas are')} paired."
    return [
        f"{version_line(versions)}.",
        "before, after: distance from people, 0 is as people; change: of the squared distance for habits and metrics, "
        "so that below 0 is nearer to people. p is corrected for all headlines and metrics."
        + (paired if versions.n_paired else ""),
        *([plain(versions.note)] if versions.note else []),
    ]


def changed(versions: Versions) -> list[Moved]:
    """Return what reports show: each headline, and the metrics that got better or worse."""
    return [each for each in versions.moved if each.kind == "headline" or each.course != "no_change"][
        :MAX_SHOWN
    ]


def screen(versions: Versions | None) -> Iterator[RenderableType]:
    """Yield the part of the terminal's screen; nothing where there is no baseline."""
    if versions is not None:
        yield filled(
            ("since the baseline", *CHANGES[1:]), map(change_row, changed(versions)), _note(versions)
        )


def marked(versions: Versions | None, escaped: Callable[[str], str]) -> str:
    """Write what changed as a table in Markdown; empty where there is no baseline."""
    if versions is None:
        return ""
    rows = [CHANGES, ("---",) * len(CHANGES), *(map(escaped, change_row(each)) for each in changed(versions))]
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in rows) if len(rows) > 2 else ""
    return f"\n**Since the baseline: {escaped(_note(versions))}**\n\n{table}"


def page_versions(versions: Versions | None) -> dict[str, object] | None:
    """Return what the page shows of a baseline; None where there is none."""
    if versions is None:
        return None
    return {
        "note": _note(versions),
        "columns": CHANGES,
        "rows": [change_row(each) for each in changed(versions)],
    }


def _note(versions: Versions) -> str:
    return " ".join(version_notes(versions))


def worse_lines(versions: Versions) -> list[str]:
    """Write what is worse, a line each with its values."""
    return [worse_line(each) for each in versions.worse[:MAX_SHOWN]]


def worse_line(moved: Moved) -> str:
    """Write what is worse in a line, with its values."""
    levels = f"; mean {means(moved)}" if moved.levels is not None else ""
    return (
        f"{title(moved)}: worse; distance from people {number(moved.before)} before, {number(moved.after)} now "
        f"(p {probability(moved.p_adjusted, sign='= ')}){levels}"
    )
