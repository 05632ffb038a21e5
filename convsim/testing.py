"""What a test of yours asks of convsim: that findings pass, that a plugin keeps its contract, and a small study.

>>> from convsim.testing import assert_findings, hold_study
>>> run = hold_study("runs/ci", agent=my_agent, study={"n": 60, "seed": 3})    # doctest: +SKIP
>>> assert_findings(convsim.validate("people.jsonl", run, seed=3))             # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from convsim._text import one_line
from convsim.conformance import (
    check_agent,
    check_annotator,
    check_fault,
    check_metric,
    check_reader,
    check_shopper,
    check_validator,
)
from convsim.errors import ConvsimError, InputError, StudyError
from convsim.evaluation import Scorecard
from convsim.io.problems import first_problem
from convsim.lifting import AgentLike, ShopperLike
from convsim.report.tables import VERDICTS, interval, number
from convsim.schema import FAILING, Finding, Verdict
from convsim.simulation import Assembly
from convsim.simulation.config import StudyConfig, read_study

__all__ = [
    "assert_findings",
    "check_agent",
    "check_annotator",
    "check_fault",
    "check_metric",
    "check_reader",
    "check_shopper",
    "check_validator",
    "hold_study",
]

ALLOWED: tuple[Verdict, ...] = ("aligned", "reacts_as_people", "undecided")
"""The verdicts that ``--fail-on different`` lets pass."""
MAX_ROWS = 40
Part = str | Mapping[str, object]
"""A plugin by its name, or by a section of a STUDY.toml."""
COLUMNS = ("verdict", "metric", "validator", "estimate", "interval", "people from people")


def assert_findings(
    found: Scorecard | Iterable[Finding],
    *,
    allow: Collection[str] = ALLOWED,
    metrics: Collection[str] | None = None,
) -> None:
    """Assert that every finding's verdict is allowed; controls are not asked, failed validators never pass.

    Args:
        found: A scorecard, or findings.
        allow: Verdicts that pass; ``("aligned", "reacts_as_people")`` asks for proof.
        metrics: Ask these alone; all by default.

    Raises:
        AssertionError: A verdict is not allowed, or there is no finding to ask; its message is a table.
        InputError: There is no such verdict, or no finding of such a metric.
    """
    __tracebackhide__ = True
    judged = [f for f in (found.findings if isinstance(found, Scorecard) else found) if not f.is_control]
    _check("verdict", allow, get_args(Verdict))
    if metrics is not None:
        _check("metric", metrics, {finding.metric for finding in judged})
        judged = [finding for finding in judged if finding.metric in metrics]
    if not judged:
        raise AssertionError("there is no finding to ask: nothing was compared")
    failing = [f for f in judged if f.verdict not in allow or f.verdict == "failed"]
    if failing:
        allowed = ", ".join(VERDICTS[verdict] for verdict in VERDICTS if verdict in allow) or "no verdict"
        first = f"{len(failing)} of {len(judged)} findings do not pass; what passes: {allowed}"
        raise AssertionError("\n".join([first, *_table(failing)]))


def hold_study(
    folder: Path | str,
    *,
    file: Path | str | None = None,
    shopper: Part | ShopperLike | None = None,
    agent: Part | AgentLike | None = None,
    **sections: object,
) -> Path:
    """Hold a study's conversations in ``folder``, and return it: a side for ``convsim.validate``.

    Args:
        folder: The run folder; the same study goes on in it.
        file: A STUDY.toml; without one, all is as in ``convsim simulate``.
        shopper: Your shopper: a function, an object with ``speak``, a plugin's name or a ``[shopper]`` section.
        agent: Your agent: a function, an object with ``reply``, a plugin's name or an ``[agent]`` section.
        sections: Whole sections of a STUDY.toml, which replace the file's, such as ``study={"n": 60, "seed": 3}``,
            ``data={"real": "people.jsonl"}``, ``arm=[{"name": "good"}]``.

    Raises:
        InputError: The study cannot be held as asked.
        ConvsimError: Every conversation failed, or some are missing because the budget is spent.
    """
    for name, part in (("shopper", shopper), ("agent", agent)):
        if part is not None:
            sections[name] = _section(part)
    own_shopper = None if isinstance(shopper, str | Mapping) else shopper
    own_agent = None if isinstance(agent, str | Mapping) else agent
    assembly = Assembly(_config(file, sections), shopper=own_shopper, agent=own_agent)
    outcome = assembly.study().run(folder)
    if outcome.missing or outcome.failed == outcome.planned:
        why = one_line(outcome.commonest_reason or outcome.stop)
        raise ConvsimError(
            f"{folder}: of {outcome.planned} conversations {outcome.failed} failed and {outcome.missing} "
            f"are missing: {why}"
        )
    return outcome.folder


def _section(part: object) -> object:
    """Say a part as a STUDY.toml would; an object is said by its name, so that manifests tell objects apart."""
    if isinstance(part, Mapping):
        return part
    if isinstance(part, str):
        return {"name": part}
    kind = part if hasattr(part, "__qualname__") else type(part)
    return {"name": "python", "target": f"{kind.__module__}:{getattr(kind, '__qualname__', kind)}"}


def _config(file: Path | str | None, sections: Mapping[str, object]) -> StudyConfig:
    stated = read_study(Path(file)).model_dump() if file is not None else {}
    document = {**stated, **sections}
    try:
        config = StudyConfig.model_validate(document)
    except ValidationError as error:
        bad = first_problem(error, document)
        raise StudyError(f"the study: {bad.field or 'a section'}: {bad.problem}") from None
    return config.with_flags({})


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
    floor = finding.noise_floor
    return (
        VERDICTS[finding.verdict],
        one_line(finding.metric),
        one_line(finding.validator),
        f"{number(finding.estimate)} {one_line(finding.unit)}",
        interval(finding),
        f"{number(floor.mean)}, 95 % below {number(floor.q95)}" if floor else "–",
    )
