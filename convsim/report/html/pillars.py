"""The three pillars: habits metric by metric, human-likeness, and reactions to a worse recommender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convsim.battery import Scorecard
from convsim.contracts import Finding
from convsim.conversation import Conversation
from convsim.report.headline import headline
from convsim.report.html.pictures.distances import distances
from convsim.report.html.pictures.doses import doses
from convsim.report.html.pictures.likeness import likeness
from convsim.report.html.pictures.overlays import overlays
from convsim.report.html.pictures.picture import Picture
from convsim.report.html.pictures.scores import score_histograms
from convsim.report.html.pictures.shifts import shifts
from convsim.report.html.pictures.survival import survival
from convsim.report.html.rows import Row, finding_rows
from convsim.report.reactions import LADDER, RELATIONS, SHIFTS, WHOLE

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
    return [_habits(card, real, simulated), _likeness(card), _reactions(card)]


def _habits(card: Scorecard, real: Sequence[Conversation], simulated: Sequence[Conversation]) -> Pillar:
    found = _of(card, "marginals")
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
    found = _of(card, "humanlikeness")
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
    moved, ladder, relations = _of(card, SHIFTS), _of(card, LADDER), _of(card, RELATIONS)
    found = [*moved, *ladder, *relations]
    galleries = [
        Gallery("How long they stay", survival(moved)),
        Gallery("As the fault grows", doses(ladder)),
    ]
    return Pillar(
        "reactions", "Do they react as people do?", COUNTERFACTUAL, _said(card, found),
        pictures=[shifts(moved)], galleries=[g for g in galleries if g.pictures],
        rows=finding_rows([*(f for f in moved if f.metric in WHOLE), *relations][:MAX_ROWS]),
    )  # fmt: skip


def _of(card: Scorecard, validator: str) -> list[Finding]:
    return [finding for finding in card.findings if finding.validator == validator]


def _said(card: Scorecard, findings: Sequence[Finding]) -> str:
    return headline(card.but(findings=tuple(findings))) if findings else ""
