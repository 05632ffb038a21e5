"""What a gate found, in words: a line for the whole, and each check with what was asked and what was found."""

from __future__ import annotations

from collections.abc import Iterable

from convsim._text import plain
from convsim.report.tables import NOT_JUDGED, VERDICTS, counted, number
from convsim.schema import GateCheck, GateResult

MAX_SHOWN = 40
"""Checks that a report shows; findings.json has them all."""
MAX_NAME = 80
COLUMNS = ("gate", "verdict", "passes", "value", "interval", "margin", "severity", "why")


def gate_line(result: GateResult) -> str:
    """Say in a line whether the gate failed, and how many checks did not pass."""
    file = f" ({plain(result.file, limit=200)})" if result.file else ""
    n, failed, warned = len(result.checks), len(result.failures), len(result.warnings)
    warnings = f", {counted(warned, 'warning', 'warnings')}" if warned else ""
    if failed:
        return f"gate failed{file}: {failed} of {counted(n, 'check', 'checks')}{warnings}"
    return f"gate passed{file}: {counted(n, 'check', 'checks')}{warnings}"


def not_passed(result: GateResult) -> tuple[GateCheck, ...]:
    """Return the checks that did not pass, those that fail the gate first."""
    return (*result.failures, *result.warnings)


def left_out(result: GateResult) -> str:
    """Say how many of the checks that did not pass are not shown; empty where all are."""
    n = len(not_passed(result)) - MAX_SHOWN
    return f"and {n} more; findings.json has them all" if n > 0 else ""


def rows(checks: Iterable[GateCheck]) -> list[tuple[str, ...]]:
    """Write checks as cells under ``COLUMNS``; text in them is printable, and not yet escaped for a page."""
    return [
        (
            title(check), verdict(check), passing(check), value(check), interval(check), margin(check), check.severity,
            plain(check.reason),
        )
        for check in checks
    ]  # fmt: skip


def title(check: GateCheck) -> str:
    """Name what was asked; a metric with its validator where it has a finding."""
    by = f" ({plain(check.validator, limit=MAX_NAME)})" if check.kind == "metric" and check.validator else ""
    return f"{check.kind} {plain(check.name, limit=MAX_NAME)}{by}"


def verdict(check: GateCheck) -> str:
    """Write the verdict that was found in words and, where that is known, how much more would decide."""
    words = NOT_JUDGED if check.verdict is None else VERDICTS[check.verdict]
    return f"{words}: {check.needs.words}" if check.needs and check.needs.words else words


def passing(check: GateCheck) -> str:
    """Write the verdicts that pass in words; of reactions only where something reacts, or nothing else passes."""
    verdicts = [*dict.fromkeys(check.passes)]
    if check.verdict in ("aligned", "different", "undecided", None):
        verdicts = [each for each in verdicts if each != "reacts_as_people"] or verdicts
    words = [VERDICTS[each] for each in verdicts]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def value(check: GateCheck) -> str:
    """Write the estimate with its unit; a dash where there is none."""
    unit = plain(check.unit or "", limit=MAX_NAME) if check.estimate is not None else ""
    return f"{number(check.estimate)} {unit}".strip()


def interval(check: GateCheck) -> str:
    """Write the interval; a dash where there is none."""
    return f"[{number(check.interval[0])}, {number(check.interval[1])}]" if check.interval else "–"


def margin(check: GateCheck) -> str:
    """Write the margins by name; a dash where none is stated."""
    named = [
        number(value) if len(check.margin) == 1 else f"{plain(name, limit=MAX_NAME)} {number(value)}"
        for name, value in sorted(check.margin.items())
    ]
    return ", ".join(named[:4]) or "–"


def sentences(result: GateResult) -> list[str]:
    """Write the gate's line and, below it, a line a check that did not pass."""
    more = left_out(result)
    return [
        gate_line(result),
        *(f"  {sentence(check)}" for check in not_passed(result)[:MAX_SHOWN]),
        *([f"  {more}"] if more else []),
    ]


def sentence(check: GateCheck) -> str:
    """Write a check in a line: what was asked, what was found, with its numbers, and why."""
    warning = "warning: " if check.severity == "warning" else ""
    said = (
        f"{warning}{title(check)}: {verdict(check)}; passes: {passing(check)}{_numbers(check)}; "
        f"{plain(check.reason, limit=400)}"
    )
    return " ".join(said.split())


def _numbers(check: GateCheck) -> str:
    if check.estimate is None:
        return ""
    level = f"{check.level:.0%} interval " if check.level is not None else "interval "
    within = f", {level}{interval(check)}" if check.interval else ""
    limit = f", margin {margin(check)}" if check.margin else ""
    return f"; {value(check)}{within}{limit}"
