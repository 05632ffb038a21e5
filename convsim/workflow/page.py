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
            {"name": row_name(each), "cells": cells, "pages": list(each[0].pages.items())}
            for each, cells in zip(summary.together, rows, strict=True)
        ],
        unfinished=[(plain(each.name), plain(each.reason or "")) for each in summary.unfinished],
    )  # fmt: skip


def answer(summary: StudySummary) -> str:
    """Say in one sentence which of the runs are like people."""
    judged = [each[0] for each in summary.together if each[0].headlines or each[0].reactions]
    n = len(summary.together)
    if not judged:
        return f"{'1 run' if n == 1 else f'{n} runs'}, held against nobody"
    like = [plain(each.simulator or each.name, limit=60) for each in judged if _whole(each) == "aligned"]
    unlike = sum(_whole(each) == "different" for each in judged)
    named = ", ".join(like[:MOST_NAMED]) + (" …" if len(like) > MOST_NAMED else "")
    counts = {
        f"like people in all that was asked ({named})": len(like),
        "not like people": unlike,
        "undecided": len(judged) - len(like) - unlike,
        "not judged": n - len(judged),
    }
    what = "run" if n == len(summary.variants) else "simulator"
    return f"Of {n} {what}{'' if n == 1 else 's'}, " + ", ".join(
        f"{count} {'is' if count == 1 else 'are'} {what}" for what, count in counts.items() if count
    )


def table_of(summary: StudySummary) -> tuple[list[str], list[list[Cell]]]:
    """Return the heads of a table, and the cells of each row: a run, or the runs that were judged together."""
    groups = summary.together
    names = list(dict.fromkeys(h.name for first, *_ in groups for h in _of(first)))
    further: dict[str, list[Cell]] = {
        "human-likeness": [(None, "" if v.hls is None else f"{v.hls:.0%}") for v, *_ in groups],
        "distance": [(None, _distance(group)) for group in groups],
        "conversations": [(None, _held(group)) for group in groups],
        "cost": [(None, _cost(group)) for group in groups],
        "gate": [_gate(v.passed) for v, *_ in groups],
    }
    shown = {head: cells for head, cells in further.items() if any(words for _, words in cells)}
    rows = [
        [*_verdicts(group[0], names), *(cells[row] for cells in shown.values())]
        for row, group in enumerate(groups)
    ]
    return [*names, *shown], rows


def row_name(group: Sequence[VariantSummary], limit: int = 120) -> str:
    """Name a run, or the simulator whose seeds were judged together."""
    first = group[0]
    if first.simulator is None:
        return plain(first.name, limit=limit)
    return f"{plain(first.simulator, limit=limit)} ({len(group)} seeds)"


def _distance(group: Sequence[VariantSummary]) -> str:
    """Say the distance of runs together, and those of the runs alone."""
    first = group[0]
    if first.mean_distance is None:
        return ""
    alone = sorted(each.own_distance for each in group if each.own_distance is not None)
    return f"{first.mean_distance:.2f}" + (f" (seeds {alone[0]:.2f} to {alone[-1]:.2f})" if alone else "")


def _held(group: Sequence[VariantSummary]) -> str:
    planned = sum(each.planned for each in group)
    return f"{planned - sum(each.missing + each.failed for each in group)}/{planned}"


def _cost(group: Sequence[VariantSummary]) -> str:
    """Say what runs cost; nothing where the price of one is not known, or they cost nothing."""
    known = [each.cost_usd for each in group if each.cost_usd is not None]
    return f"${sum(known):,.2f}" if len(known) == len(group) and any(known) else ""


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
