"""The three pillars: habits metric by metric, human-likeness, and reactions to a worse recommender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convsim.evaluation import Scorecard
from convsim.evaluation.layout import in_section, is_shift_of_one_metric, without_section
from convsim.report.headline import headline
from convsim.report.html.figures.distances import distances
from convsim.report.html.figures.doses import doses
from convsim.report.html.figures.figure import Picture
from convsim.report.html.figures.likeness import likeness
from convsim.report.html.figures.overlays import overlays
from convsim.report.html.figures.scores import score_histograms
from convsim.report.html.figures.shifts import shifts
from convsim.report.html.figures.survival import survival
from convsim.report.html.rows import Row, finding_rows
from convsim.schema import Finding
from convsim.schema.conversation import Conversation

MAX_ROWS = 60
VALIDATE = "convsim validate REAL SIM"
COUNTERFACTUAL = "convsim counterfactual REAL SIM --control ARM --treatment ARM"


@dataclass(frozen=True)
class Gallery:
    """Small pictures side by side, or why there are none."""

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
    command: str
    """What asks it."""
    said: str
    """The headline's part on it; empty where it was not asked."""
    pictures: Sequence[Picture | None] = ()
    galleries: Sequence[Gallery] = ()
    rows: Sequence[Row] = ()
    """Findings that are of no single metric."""


def pillars(card: Scorecard, real: Sequence[Conversation], simulated: Sequence[Conversation]) -> list[Pillar]:
    """Prepare the three pillars of a scorecard; either side's transcripts may be missing (empty)."""
    return [_habits(card, real, simulated), _likeness(card), _reactions(card), *_others(card)]


def _habits(card: Scorecard, real: Sequence[Conversation], simulated: Sequence[Conversation]) -> Pillar:
    found = in_section(card.findings, "habits")
    galleries = []
    if found:
        pictures = overlays(found, real, simulated) if real and simulated else []
        missing = "" if pictures else "The distributions need both sides' conversations."
        galleries.append(Gallery("The farthest, as distributions", pictures, missing))
    return Pillar(
        "habits", "Do they have people's habits?", VALIDATE, _said(card, found),
        pictures=[distances(found)] if found else [], galleries=galleries,
    )  # fmt: skip


def _likeness(card: Scorecard) -> Pillar:
    found = in_section(card.findings, "likeness")
    galleries = []
    if found:
        missing = "The findings keep no score of single conversations."
        pictures = score_histograms(found)
        galleries.append(Gallery("The scores of single conversations", pictures, "" if pictures else missing))
    return Pillar(
        "likeness", "Can words tell them apart?", VALIDATE, _said(card, found),
        pictures=[likeness(found)] if found else [], galleries=galleries,
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
        "reactions", "Do they react as people do?", COUNTERFACTUAL, _said(card, found),
        pictures=[shifts(moved)], galleries=[g for g in galleries if g.pictures],
        rows=finding_rows([*(f for f in moved if not is_shift_of_one_metric(f)), *relations][:MAX_ROWS]),
    )  # fmt: skip


def _others(card: Scorecard) -> list[Pillar]:
    """Prepare what no pillar shows: labels, blind tests, other validators, and what failed."""
    found = [*in_section(card.findings, "prevalence", "blind_test"), *without_section(card.findings)]
    if not found:
        return []
    return [
        Pillar("others", "What else was asked", "", _said(card, found), rows=finding_rows(found[:MAX_ROWS]))
    ]


def _said(card: Scorecard, findings: Sequence[Finding]) -> str:
    return headline(card.but(findings=tuple(findings))) if findings else ""
