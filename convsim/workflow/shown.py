"""A study's summary and a project's history, in the terminal, in Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from convsim._text import plain
from convsim.report.answers import marked
from convsim.report.junit import Case, Suite, document, judged
from convsim.report.markdown import row, rule, table_cell
from convsim.report.tables import MARKS, filled
from convsim.workflow.page import answer, row_name, table_of
from convsim.workflow.summary import StudySummary, VariantSummary

if TYPE_CHECKING:
    from rich.console import Console

    from convsim.workflow.history import Past

MAX_ROWS = 60
MAX_CHANGES = 8
WORDS = ("study", "folder", "finished (UTC)", "result", "since the last")
NOTE = "A verdict that changed is told; whether it changed beyond chance, validate --baseline tells."


def print_summary(summary: StudySummary, console: Console) -> None:
    """Print which runs are like people, and each run's verdicts."""
    console.print(Text(f"{plain(summary.name, limit=120)}: {answer(summary)}.", style="bold"))
    columns, rows = _table(summary)
    more = len(rows) - MAX_ROWS
    console.print(
        filled(
            columns, rows[:MAX_ROWS], f"and {more} more runs; JSON has all" if more > 0 else "", left=columns
        )
    )


def to_markdown(summary: StudySummary) -> str:
    """Return the same as Markdown, escaped."""
    columns, rows = _table(summary)
    lines = [row(columns), rule(len(columns)), *map(row, rows[:MAX_ROWS])]
    return (
        f"## {table_cell(summary.name)}\n\n{table_cell(answer(summary), 2000)}.\n\n" + "\n".join(lines) + "\n"
    )


def to_junit(summary: StudySummary) -> str:
    """Return the same as JUnit: a suite a run, with a case for the run, one for the gate, and its headlines.

    Runs that were judged together are one suite, with a case for each run and the rest once.
    Where the study has a gate, headlines that it does not fail on are told as output; without one, a headline that is
    different is a failure.
    """
    suites = [Suite(group[0].simulator or group[0].name, tuple(_cases(group))) for group in summary.together]
    failed = tuple(Case(name=each, outcome="error", message=each) for each in summary.failed)
    return document([*suites, *([Suite("validators", failed)] if failed else [])])


def _cases(group: Sequence[VariantSummary]) -> Iterator[Case]:
    for each in group:
        name = "run" if each.simulator is None else f"run {each.name}"
        ran = f"{each.planned:,} conversations planned, {each.failed:,} failed, {each.missing:,} missing"
        if each.reason is not None:
            yield Case(name=name, outcome="error", message=each.reason, text=ran)
        else:
            yield Case(name=name, said=ran)
    variant = group[0]
    if variant.passed is False:
        yield Case(
            name="gate", outcome="failure", message="the gate failed", type="gate", text=_told(variant)
        )
    elif variant.passed:
        yield Case(name="gate", said=_told(variant))
    if variant.passed is None:
        for headline in (*variant.headlines, *variant.reactions):
            if headline.name != "all":
                needs = headline.needs.words if headline.needs else ""
                yield judged(headline.name, headline.verdict, headline.reason, "different", needs=needs)


def _told(variant: VariantSummary) -> str:
    return "\n".join(f"{marked(each)}: {each.reason}" for each in (*variant.headlines, *variant.reactions))


def print_history(past: Sequence[Past], console: Console) -> None:
    """Print a row a study, oldest first."""
    if past:
        console.print(filled(WORDS, [*_rows(past)], NOTE, left=set(WORDS)))


def history_to_markdown(past: Sequence[Past]) -> str:
    """Return the same as Markdown, escaped."""
    rows = [row([str(cell) for cell in each], 2000) for each in _rows(past)]
    return "\n".join([row(WORDS), rule(len(WORDS)), *rows, "", NOTE]) + "\n"


def history_to_json(past: Sequence[Past]) -> str:
    """Return the studies with what changed, as a document of JSON."""
    studies = [
        {
            "folder": str(each.folder),
            "name": each.summary.name,
            "finished": each.summary.finished,
            "real": each.summary.real,
            "result": answer(each.summary),
            "before": None if each.before is None else str(each.before),
            "same_people": each.same_people,
            "changes": list(each.changes),
        }
        for each in past
    ]
    told = {"schema": "convsim.history/1", "studies": studies}
    return json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _table(summary: StudySummary) -> tuple[list[str], list[list[str]]]:
    columns, rows = table_of(summary)
    return ["run", *columns], [
        [
            row_name(each, 60),
            *(f"{MARKS[kind]} {words}" if kind else words or "-" for kind, words in cells),
        ]
        for each, cells in zip(summary.together, rows, strict=True)
    ]


def _rows(past: Sequence[Past]) -> Iterator[tuple[str, ...]]:
    for each in past:
        yield (
            plain(each.summary.name, limit=60),
            plain(str(each.folder), limit=120),
            plain(each.summary.finished[:16].replace("T", " "), limit=16),
            answer(each.summary),
            _since(each),
        )


def _since(each: Past) -> str:
    if each.before is None:
        return "first of its name"
    told = [plain(change, limit=200) for change in each.changes[:MAX_CHANGES]] or ["no verdict changed"]
    if len(each.changes) > MAX_CHANGES:
        told.append(f"and {len(each.changes) - MAX_CHANGES} more")
    if not each.same_people:
        told.insert(0, "held against other people")
    return "; ".join(told)
