"""Which labels can be corrected: those of an annotator on both sides, with people's labels on some of the real side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from convsim.metrics.labels import ACTS, MAX_ACTS, acts_of, find_origins
from convsim.schema import Corpus, LabelOrigin
from convsim.schema.conversation import Conversation
from convsim.stats.resampling import Design
from convsim_validators.labels.annotator_error import Tallies
from convsim_validators.labels.marks import YES_NO, Marks, confusion

ANNOTATORS = ("rules", "classifier", "judge")
"""Kinds of source that are corrected."""
OF_ACTS, OF_FEELINGS = ("third_party", "self"), ("self", "third_party")
"""People whose label counts as the truth, the preferred first."""


@dataclass(frozen=True)
class Correctable:
    """One annotator's labels of one name and level, on both sides, and the people's labels they are held against."""

    annotator: LabelOrigin
    reference: LabelOrigin
    metrics: tuple[str, ...]
    """The name of each question's metric."""
    shown: tuple[str, ...]
    """What each question asks for, in words."""
    real: Tallies
    simulated: Tallies
    n: tuple[int, int, int]
    """Conversations with a label: real, simulated, and real with a reference too."""


def find_correctable(real: Corpus, simulated: Corpus, design: Design) -> Iterator[Correctable]:
    """Yield what can be corrected; nothing where the sides share no annotator, or people labelled none of its items."""
    here, there = find_origins(real.conversations), find_origins(simulated.conversations)
    for key, origins in here.items():
        shared = [origin for origin in origins if origin in there.get(key, ())]
        for number, annotator in enumerate(shared):
            reference = _reference(annotator, origins)
            if reference is None:
                continue
            suffix = f"@{annotator.source}" if number else ""
            yield _tallied(real, simulated, design, annotator, reference, suffix=suffix)


def _reference(annotator: LabelOrigin, origins: Sequence[LabelOrigin]) -> LabelOrigin | None:
    """Find people's labels of the same name, level and scale as an annotator's; None where there are none."""
    if annotator.source.partition(":")[0] not in ANNOTATORS:
        return None
    if annotator.name != ACTS and annotator.scale != YES_NO:
        return None
    people = (annotator._replace(source=who) for who in (OF_ACTS if annotator.name == ACTS else OF_FEELINGS))
    return next((origin for origin in people if origin in origins), None)


def _tallied(
    real: Corpus,
    simulated: Corpus,
    design: Design,
    annotator: LabelOrigin,
    reference: LabelOrigin,
    *,
    suffix: str,
) -> Correctable:
    acts: list[str] = []
    metrics, shown = (
        [f"{annotator.name}{'_by_turn' * (annotator.level == 'message')}"],
        [repr(annotator.name)],
    )
    if annotator.name == ACTS:
        acts = _acts((*real.conversations, *simulated.conversations), {annotator.source, reference.source})
        metrics, shown = [f"act_{act}" for act in acts], [f"the act {act!r}" for act in acts]
    n_real, n_simulated = len(real), len(simulated)
    said = Marks.of(real.conversations, annotator, acts)
    said_there = Marks.of(simulated.conversations, annotator, acts)
    crossed = confusion(said, Marks.of(real.conversations, reference, acts), n_real)
    nothing = np.zeros((n_simulated, len(metrics), 4))
    shares, shares_there = said.shares(n_real), said_there.shares(n_simulated)
    n_both = int((crossed.sum(axis=(1, 2)) > 0).sum())
    return Correctable(
        annotator,
        reference,
        tuple(name + suffix for name in metrics),
        tuple(shown),
        Tallies.of(shares, crossed, design.real),
        Tallies.of(shares_there, nothing, design.simulated),
        (int(shares[0].sum()), int(shares_there[0].sum()), n_both),
    )


def _acts(conversations: Sequence[Conversation], sources: set[str]) -> list[str]:
    """List the acts that any of the sources gave, as many as have a metric."""
    found = {
        act
        for conversation in conversations
        for message in conversation.user_messages
        for label in message.labels.get(ACTS, ())
        if label.source in sources
        for act in acts_of(label.value) or ()
    }
    return sorted(found)[:MAX_ACTS]
