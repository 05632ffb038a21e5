"""Builds the scorecard's page: one HTML file that loads nothing, runs only its own script, and opens from disk."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from convsim import _templates as templates
from convsim._text import plain
from convsim.evaluation import Scorecard, SideSummary
from convsim.evaluation.layout import HABITS_VIEW
from convsim.report import spending
from convsim.report.answers import QUESTIONS, whole
from convsim.report.caveats import limits
from convsim.report.gaps import page_gaps
from convsim.report.gate import COLUMNS, MAX_SHOWN, gate_line, left_out, not_passed
from convsim.report.gate import rows as gate_rows
from convsim.report.html.figures.distributions import NO_FURTHER
from convsim.report.html.first_screen import first_screen
from convsim.report.html.giveaways import add_examples, find_giveaways
from convsim.report.html.provenance import provenance
from convsim.report.html.reading import reading
from convsim.report.html.rows import KINDS, MAX_ROWS, finding_rows, kind_of
from convsim.report.html.sections import agreement_rows, anchors_of, cost_rows, extremes, pillars, taking_part
from convsim.report.html.text import name
from convsim.report.kinds import page_kinds
from convsim.report.versions import page_versions
from convsim.schema import GateResult, Metric
from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from jinja2 import Environment


def own_file(file: str) -> str:
    """Return a file of ours, such as the style sheet, for a page to hold as it is."""
    from markupsafe import Markup

    return Markup(files("convsim.report.html").joinpath(file).read_text(encoding="utf-8"))


def own_script(*names: str) -> str:
    """Return scripts of ours as one, for a page to hold as it is."""
    from markupsafe import Markup

    return Markup("\n").join(own_file(f"{name}.js") for name in names)


def content_policy(script: str) -> str:
    """Allow this script, by its hash, styles, and pictures that it made: no request, no other script, no form."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = {
        "default": "'none'",
        "script": f"'sha256-{digest}'",
        "style": "'unsafe-inline'",
        "img": "data:",
    }
    listed = [f"{what}-src {source}" for what, source in allowed.items()]
    return "; ".join([*listed, "base-uri 'none'", "form-action 'none'"])


def environment() -> Environment:
    """Return what fills in our pages' templates; all that is put in is escaped."""
    made = templates.environment("convsim.report.html", escape=True)
    made.filters["name"] = name
    return made


MAX_WARNINGS = 50
PARTS = {
    "gaps": "Changes",
    "habits": "Habits",
    "recognition": "Words",
    "reactions": "Reactions",
    "others": "More",
    "giveaways": "Giveaways",
    "conversations": "Conversations",
    "findings": "Findings",
    "provenance": "Provenance",
}
"""Where the navigation leads, in the order of the page."""


def to_html(
    card: Scorecard,
    real: Sequence[Conversation] | None,
    simulated: Sequence[Conversation] | None,
    *,
    notes: Sequence[str] = (),
    near: Path | None = None,
    metrics: Mapping[str, Metric] = NO_FURTHER,
) -> str:
    """Return the scorecard as a page.

    Args:
        card: What was found.
        real: The people's conversations; None if they could not be read, and the page says so.
        simulated: The simulated conversations, likewise.
        notes: Further warnings.
        near: Folder of the findings document, where relative paths of runs are looked for too.
        metrics: Those that are not built in, by name: their distributions are drawn too.
    """
    people, missing_people = _side(card.real, real, "real")
    shoppers, missing_shoppers = _side(card.simulated, simulated, "simulated")
    giveaways = find_giveaways(card.findings)
    add_examples(giveaways, people, shoppers)
    features = {word.feature: word.side for word in giveaways}
    ends = extremes(card.findings, shoppers, features)
    shown = {
        "gate": _gate(card.gate),
        "versions": page_versions(card.baseline),
        "shown_gaps": page_gaps(card, people, shoppers, anchors_of(ends)),
        "shown_kinds": page_kinds(card.findings, people, shoppers, anchors_of(ends)),
        "giveaways": giveaways,
        "extremes": ends,
        "all_said": reading(card, people, shoppers, features),
    }
    asked = [each for each in pillars(card, people, shoppers, metrics) if each.said]
    script = own_script("script", "tips", "reader", "export")
    return environment().get_template("page.html.j2").render(
        card=card,
        style=own_file("style.css"),
        script=script,
        policy=content_policy(str(script)),
        whole=whole(card),
        first=first_screen(card, giveaways),
        questions=QUESTIONS,
        limits=limits(card),
        warnings=[plain(w) for w in (*notes, *missing_people, *missing_shoppers, *card.warnings)][:MAX_WARNINGS],
        counts=[(kind, shown, n) for kind, shown in KINDS.items() if (n := _counted(card)[kind])],
        pillars=asked,
        parts=_parts([each.id for each in asked], shown),
        habits=find_giveaways(card.findings, HABITS_VIEW),
        trust=agreement_rows(card.reliability),
        cost=cost_rows(shoppers),
        endpoints=(spending.TITLE, spending.COLUMNS, spending.rows(card.run) if card.run else [], spending.NOTE),
        spent=spending.sentences(card),
        rows=finding_rows(card.findings),
        n_hidden=max(0, len(card.findings) - MAX_ROWS),
        kinds=KINDS,
        provenance=provenance(card, near),
        **shown,
    )  # fmt: skip


def _parts(asked: Sequence[str], shown: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the sections that the page has and that its navigation leads to, by id and name."""
    there = {
        *asked, "findings", "provenance",
        *(["gaps"] if shown["shown_gaps"] else []), *(["giveaways"] if shown["giveaways"] else []),
        *(["conversations"] if shown["extremes"] or shown["all_said"] else []),
    }  # fmt: skip
    return [(id, title) for id, title in PARTS.items() if id in there]


def _gate(result: GateResult | None) -> dict[str, object] | None:
    """Return what the page says of a gate; None where there is none."""
    if result is None:
        return None
    shown = gate_rows(not_passed(result)[:MAX_SHOWN])
    return {"line": gate_line(result), "columns": COLUMNS, "rows": shown, "more": left_out(result)}


def _side(
    summary: SideSummary | None, conversations: Sequence[Conversation] | None, side: str
) -> tuple[list[Conversation], list[str]]:
    """Return a side's conversations that were judged, and what is to be said of those that are not there."""
    if summary is None:
        return [], []
    if conversations is None:
        return [], [f"the {side} conversations could not be read: what needs them is missing from this page"]
    kept = taking_part(conversations, summary)
    if len(kept) == summary.n:
        return kept, []
    return kept, [
        f"the {side} transcripts have {len(kept):,} conversations in these arms and tasks, but {summary.n:,} were "
        "judged"
    ]


def _counted(card: Scorecard) -> Counter[str]:
    return Counter(map(kind_of, card.findings))
