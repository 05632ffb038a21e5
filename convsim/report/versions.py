"""What got better and what got worse, in words: rows, notes, and a line for each that is worse."""

from __future__ import annotations

from convsim._text import plain
from convsim.report.tables import counted, number
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


def worse_lines(versions: Versions) -> list[str]:
    """Write what is worse, a line each with its values."""
    lines = []
    for each in versions.worse[:MAX_SHOWN]:
        levels = f"; mean {means(each)}" if each.levels is not None else ""
        lines.append(
            f"{title(each)}: worse; distance from people {number(each.before)} before, {number(each.after)} now"
            f" (p {probability(each.p_adjusted, sign='= ')}){levels}"
        )
    return lines
