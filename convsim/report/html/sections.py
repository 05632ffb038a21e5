"""The sections of the page: the three questions, agreement of labels, cost, conversations at both extremes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from convsim.annotation.agreement import AgreementReport
from convsim.evaluation import Scorecard, SideSummary
from convsim.evaluation.layout import in_section, is_shift_of_one_metric, without_section
from convsim.report.agreement import STATISTICS, written
from convsim.report.headline import headline
from convsim.report.html.chat import Chat, chat
from convsim.report.html.conversation_scores import scores_of
from convsim.report.html.figures.canvas import Picture
from convsim.report.html.figures.distances import distances
from convsim.report.html.figures.distributions import overlays, score_histograms
from convsim.report.html.figures.reactions import doses, shifts, survival
from convsim.report.html.figures.recognition import recognition
from convsim.report.html.rows import Row, finding_rows
from convsim.report.html.text import metric_name, name
from convsim.report.tables import number
from convsim.schema import Finding, Metric
from convsim.schema.conversation import Conversation


def taking_part(conversations: Iterable[Conversation], summary: SideSummary) -> list[Conversation]:
    """Return the conversations of the side's arms and tasks that did not fail."""
    return [
        c
        for c in conversations
        if c.failure is None and (c.arm or "-") in summary.arms and (c.task or "-") in summary.tasks
    ]


MAX_LABELS = 100


def agreement_rows(reliability: Iterable[AgreementReport]) -> list[tuple[str, ...]]:
    """Return annotator, compared with, label, items, statistic, its value, accuracy, accuracy of a constant answer."""
    rows: list[tuple[str, ...]] = []
    for document in reliability:
        for entry in document.entries[:MAX_LABELS]:
            field = "kendall_tau_b" if entry.kind == "ordinal" else "macro_f1"
            rows.append(
                (
                    name(document.source), name(document.against), f"{name(entry.label)} of a {entry.level}",
                    f"{entry.n:,}", STATISTICS[field], written(getattr(entry, field)), written(entry.accuracy),
                    number(entry.majority_accuracy),
                )
            )  # fmt: skip
    return rows[:MAX_LABELS]


def cost_rows(conversations: Iterable[Conversation]) -> tuple[list[tuple[str, str, str]], str]:
    """Add up what was used.

    Returns:
        Rows of what, in total, and per conversation; and a sentence on what is unknown. No rows if nothing is known.
    """
    conversations = list(conversations)
    used = [c.usage for c in conversations if c.usage is not None]
    if not used:
        return [], "The conversations do not record what they used."
    amounts: dict[str, list[float]] = {
        "input tokens": [float(u.input_tokens) for u in used if u.input_tokens is not None],
        "output tokens": [float(u.output_tokens) for u in used if u.output_tokens is not None],
        "seconds": [u.seconds for u in used],
    }
    rows = [
        (what, f"{sum(each):,.0f}", number(sum(each) / len(each))) for what, each in amounts.items() if each
    ]
    uncounted = len(used) - min(map(len, amounts.values()))
    priced = [u.cost_usd for u in used if u.cost_usd is not None]
    if priced:
        rows.append(("US dollars", f"{sum(priced):,.4g}", number(sum(priced) / len(priced))))
    unknown = len(conversations) - len(priced)
    recorded = f"Use is recorded for {len(used)} of {len(conversations)} conversations"
    if uncounted:
        recorded += f", and tokens were not counted in {uncounted} of them"
    return rows, f"{recorded}; no price is known for {unknown}." if unknown else f"{recorded}."


N_SHOWN = 5


class Extremes(NamedTuple):
    """Conversations from either end of the score, the most extreme first."""

    least_human: Sequence[Chat]
    most_human: Sequence[Chat]


def extremes(
    findings: Iterable[Finding], simulated: Sequence[Conversation], features: Mapping[str, str]
) -> Extremes | None:
    """Pick the ends of the simulated side; None where no conversation has a score."""
    scores = scores_of(findings, "simulated")
    ranked = sorted((scores[c.id], c.id, c) for c in simulated if c.id in scores)
    if not ranked:
        return None
    n = min(N_SHOWN, (len(ranked) + 1) // 2)
    most = ranked[::-1][: min(n, len(ranked) - n)]
    shown = [
        [chat(conversation, score=score, features=features) for score, _, conversation in end]
        for end in (ranked[:n], most)
    ]
    return Extremes(*shown)


def anchors_of(shown: Extremes | None) -> Mapping[str, str]:
    """Return by id where the page shows a conversation."""
    return {each.key: each.anchor for end in shown or () for each in end}


MAX_ROWS = 60
MAX_LEFT_OUT = 6


@dataclass(frozen=True)
class Gallery:
    """A row of small pictures, or why there are none."""

    title: str
    pictures: Sequence[Picture]
    missing: str = ""

    @property
    def legend(self) -> Sequence[tuple[str, str]]:
        """What the marks stand for, where that is the same in all pictures."""
        legends = {tuple(picture.legend) for picture in self.pictures}
        return next(iter(legends)) if len(legends) == 1 else ()


@dataclass(frozen=True)
class Pillar:
    """One of the three questions, with its pictures."""

    id: str
    title: str
    said: str
    """The headline's part on it; empty where it was not tested, and the page goes without."""
    pictures: Sequence[Picture | None] = ()
    galleries: Sequence[Gallery] = ()
    rows: Sequence[Row] = ()
    """Findings that are not about a single metric."""


def pillars(
    card: Scorecard,
    real: Sequence[Conversation],
    simulated: Sequence[Conversation],
    metrics: Mapping[str, Metric],
) -> list[Pillar]:
    """Prepare the three questions of a scorecard; either side's transcripts may be missing (empty)."""
    return [_habits(card, real, simulated, metrics), _recognition(card), _reactions(card), *_others(card)]


def _habits(
    card: Scorecard,
    real: Sequence[Conversation],
    simulated: Sequence[Conversation],
    metrics: Mapping[str, Metric],
) -> Pillar:
    found = in_section(card.findings, "habits")
    galleries = []
    if found:
        pictures, left_out = overlays(found, real, simulated, metrics) if real and simulated else ([], [])
        missing = "" if pictures else "Distributions need the conversations of both sides."
        if left_out:
            listed = ", ".join(map(metric_name, left_out[:MAX_LEFT_OUT]))
            missing = (
                f"Not drawn, because the metric itself was not at hand: {listed}. Name it with --metrics."
            )
        galleries.append(Gallery("The largest differences", pictures, missing))
    return Pillar(
        "habits", "Do they have people's habits?", _said(card, found),
        pictures=[distances(found)] if found else [], galleries=galleries,
    )  # fmt: skip


def _recognition(card: Scorecard) -> Pillar:
    found = in_section(card.findings, "recognition")
    galleries = []
    if found:
        missing = "No scores of single conversations were kept."
        pictures = score_histograms(found)
        galleries.append(Gallery("Scores of single conversations", pictures, "" if pictures else missing))
    return Pillar(
        "recognition", "Do their words give them away?", _said(card, found),
        pictures=[recognition(found)] if found else [], galleries=galleries,
    )  # fmt: skip


def _reactions(card: Scorecard) -> Pillar:
    moved, ladder = in_section(card.findings, "shifts"), in_section(card.findings, "ladder")
    relations = in_section(card.findings, "relations")
    found = [*moved, *ladder, *relations]
    galleries = [
        Gallery("How long they stay", survival(moved)),
        Gallery("As the fault grows", doses(ladder)),
    ]
    return Pillar(
        "reactions", "Do they react as people do?", _said(card, found),
        pictures=[shifts(moved)], galleries=[g for g in galleries if g.pictures],
        rows=finding_rows([*(f for f in moved if not is_shift_of_one_metric(f)), *relations][:MAX_ROWS]),
    )  # fmt: skip


def _others(card: Scorecard) -> list[Pillar]:
    """Prepare what the three questions leave out: labels, blind tests, other validators, and what failed."""
    found = [
        *in_section(card.findings, "copying", "prevalence", "blind_test"),
        *without_section(card.findings),
    ]
    if not found:
        return []
    return [Pillar("others", "What else was tested", _said(card, found), rows=finding_rows(found[:MAX_ROWS]))]


def _said(card: Scorecard, findings: Sequence[Finding]) -> str:
    return headline(card.but(findings=tuple(findings))) if findings else ""
