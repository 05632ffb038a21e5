"""A test's gate on findings: every verdict is allowed, or the test fails with a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import get_args

from convsim._text import one_line
from convsim.errors import InputError
from convsim.evaluation import Gate, Scorecard
from convsim.report.gate import sentences
from convsim.report.tables import VERDICTS, interval, number, verdict_words
from convsim.schema import FAILING, Finding, Verdict

ALLOWED: tuple[Verdict, ...] = ("aligned", "reacts_as_people", "undecided")
"""The verdicts that ``--fail-on different`` lets pass."""


MAX_ROWS = 40


COLUMNS = ("verdict", "metric", "validator", "estimate", "interval", "human baseline")


def assert_findings(
    results: Scorecard | Iterable[Finding],
    *,
    allow: Collection[str] = ALLOWED,
    metrics: Collection[str] | None = None,
) -> None:
    """Assert that every finding's verdict is allowed; controls are not asked, failed validators never pass.

    Args:
        results: A scorecard, or findings.
        allow: Verdicts that pass; ``("aligned", "reacts_as_people")`` asks for proof.
        metrics: Ask these alone; all by default.

    Raises:
        AssertionError: A verdict is not allowed, or there is no finding to ask; its message is a table.
        InputError: There is no such verdict, or no finding of such a metric.
    """
    __tracebackhide__ = True
    judged = [
        f for f in (results.findings if isinstance(results, Scorecard) else results) if not f.is_control
    ]
    _check("verdict", allow, get_args(Verdict))
    if metrics is not None:
        _check("metric", metrics, {finding.metric for finding in judged})
        judged = [finding for finding in judged if finding.metric in metrics]
    if not judged:
        raise AssertionError("there are no findings: nothing was compared")
    failing = [f for f in judged if f.verdict not in allow or f.verdict == "failed"]
    if failing:
        allowed = ", ".join(verdict for verdict in VERDICTS if verdict in allow) or "no verdict"
        first = f"{len(failing)} of {len(judged)} findings do not pass; what passes: {allowed}"
        raise AssertionError("\n".join([first, *_table(failing)]))


def assert_gate(card: Scorecard, gate: Gate | Path | str) -> None:
    """Assert that a scorecard passes a team's gate, ``gate.toml``; what it warns of passes.

    Args:
        card: What was found, by validators with the gate's margins (``Gate.validators``) where it states some.
        gate: The gate, or its file.

    Raises:
        AssertionError: A check fails; its message lists what did not pass, with values.
        InputError: The gate cannot be read, asks for what no finding is called, or states other margins.
    """
    __tracebackhide__ = True
    result = (gate if isinstance(gate, Gate) else Gate.read(gate)).judge(card)
    if not result.passed:
        raise AssertionError("\n".join(sentences(result)))


def _check(what: str, wanted: Collection[str], known: Collection[str]) -> None:
    if isinstance(wanted, str):
        raise InputError(f"expected a collection of {what}s, but got the text {wanted!r}")
    if missing := sorted(set(wanted) - set(known)):
        there = ", ".join(one_line(name) for name in sorted(known)) or "none"
        raise InputError(f"no {what} is called {missing[0]!r}; there are {there}")


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    """Write findings in columns, each with its reason below; what is worst stands first."""
    ordered = sorted(findings, key=lambda f: (f.verdict != "failed", f.verdict not in FAILING))
    rows = [_row(finding) for finding in ordered[:MAX_ROWS]]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    yield _line(COLUMNS, widths)
    for row, finding in zip(rows, ordered, strict=False):
        yield _line(row, widths)
        yield f"    {one_line(finding.reason)}"
    if len(findings) > MAX_ROWS:
        yield f"and {len(findings) - MAX_ROWS} more"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _row(finding: Finding) -> tuple[str, ...]:
    """Write a finding's cells; its names and reason may hold words of transcripts, which are hostile text."""
    baseline = finding.noise_floor
    return (
        verdict_words(finding),
        one_line(finding.metric),
        one_line(finding.validator),
        f"{number(finding.estimate)} {one_line(finding.unit)}",
        interval(finding),
        f"{number(baseline.mean)}, 95 % below {number(baseline.q95)}" if baseline else "–",
    )
