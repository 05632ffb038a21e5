"""The page of a whole study: its runs in a table, with links to their reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convsim import _templates as templates
from convsim._text import plain
from convsim.report.answers import headline_words
from convsim.report.html.page import content_policy, own_file
from convsim.report.tables import Kind, kind_of_verdict
from convsim.workflow.summary import StudySummary, VariantSummary

if TYPE_CHECKING:
    from convsim.schema.headline import Headline

MOST_NAMED = 5
Cell = tuple[Kind | None, str]
"""The kind of a verdict, or None, and the words."""


def to_page(summary: StudySummary) -> str:
    """Return the study as a page that loads nothing; reports are linked by relative paths."""
    script = own_file("script.js")
    columns, rows = table_of(summary)
    return templates.environment("convsim.workflow", escape=True).get_template("study.html.j2").render(
        summary=summary,
        style=own_file("style.css"),
        script=script,
        policy=content_policy(str(script)),
        heading=plain(summary.name, limit=120),
        answer=answer(summary),
        columns=columns,
        rows=[
            {"name": plain(each.name, limit=120), "cells": cells, "pages": list(each.pages.items())}
            for each, cells in zip(summary.variants, rows, strict=True)
        ],
        unfinished=[(plain(each.name), plain(each.reason or "")) for each in summary.unfinished],
    )  # fmt: skip


def answer(summary: StudySummary) -> str:
    """Say in one sentence which of the runs are like people."""
    judged = [each for each in summary.variants if each.headlines or each.reactions]
    n = len(summary.variants)
    if not judged:
        return f"{'1 run' if n == 1 else f'{n} runs'}, held against nobody"
    like = [plain(each.name, limit=60) for each in judged if _whole(each) == "aligned"]
    unlike = sum(_whole(each) == "different" for each in judged)
    named = ", ".join(like[:MOST_NAMED]) + (" …" if len(like) > MOST_NAMED else "")
    counts = {
        f"like people in all that was asked ({named})": len(like),
        "not like people": unlike,
        "undecided": len(judged) - len(like) - unlike,
        "not judged": n - len(judged),
    }
    return f"Of {n} {'run' if n == 1 else 'runs'}, " + ", ".join(
        f"{count} {'is' if count == 1 else 'are'} {what}" for what, count in counts.items() if count
    )


def table_of(summary: StudySummary) -> tuple[list[str], list[list[Cell]]]:
    """Return the heads of a table, and each run's cells."""
    names = list(dict.fromkeys(h.name for each in summary.variants for h in _of(each)))
    further: dict[str, list[Cell]] = {
        "human-likeness": [(None, "" if v.hls is None else f"{v.hls:.0%}") for v in summary.variants],
        "distance": [
            (None, "" if v.mean_distance is None else f"{v.mean_distance:.2f}") for v in summary.variants
        ],
        "conversations": [
            (None, f"{v.planned - v.missing - v.failed}/{v.planned}") for v in summary.variants
        ],
        "cost": [(None, f"${v.cost_usd:,.2f}" if v.cost_usd else "") for v in summary.variants],
        "gate": [_gate(v.passed) for v in summary.variants],
    }
    shown = {head: cells for head, cells in further.items() if any(words for _, words in cells)}
    rows = [
        [*_verdicts(each, names), *(cells[row] for cells in shown.values())]
        for row, each in enumerate(summary.variants)
    ]
    return [*names, *shown], rows


def _verdicts(each: VariantSummary, names: Sequence[str]) -> list[Cell]:
    known: dict[str, Headline] = {headline.name: headline for headline in _of(each)}
    return [
        (kind_of_verdict(known[name].verdict), headline_words(known[name])) if name in known else (None, "")
        for name in names
    ]


def _gate(passed: bool | None) -> Cell:
    if passed is None:
        return None, ""
    return ("alike", "passed") if passed else ("failed", "failed")


def _of(each: VariantSummary) -> list[Headline]:
    return [h for h in (*each.headlines, *each.reactions) if h.name != "all"]


def _whole(each: VariantSummary) -> str:
    wholes = [h.verdict for h in (*each.headlines, *each.reactions) if h.name == "all"]
    if any(verdict not in ("aligned", "undecided", "reacts_as_people") for verdict in wholes):
        return "different"
    return "undecided" if "undecided" in wholes else "aligned"
