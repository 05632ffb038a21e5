"""Which labels can be corrected, and how often their annotator is right, under resampling of whole units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convsim.metrics.labels import ACTS, MAX_ACTS, acts_of, find_origins
from convsim.schema import Corpus, LabelOrigin
from convsim.schema.arrays import FloatArray, IntArray
from convsim.schema.conversation import Conversation
from convsim.stats.resampling import MIN_UNITS_A_STRATUM, Design, Side, Weights, draw, in_blocks
from convsim_validators.labels.marks import YES_NO, Marks, confusion, sums_by

if TYPE_CHECKING:
    from numpy.random import Generator

PRIOR = 0.5
"""Weight, in units, of an imagined hit and of an imagined miss in each class (Jeffreys)."""


@dataclass(frozen=True)
class Tallies:
    """Sums over the conversations of each unit; a conversation weighs 1."""

    n: FloatArray
    """Shape (units,): conversations with a label by the annotator."""
    yes: FloatArray
    """Shape (units, questions): the proportions of their items that the annotator calls yes, summed."""
    squares: FloatArray
    """Shape (units, questions): those proportions squared, summed."""
    crossed: FloatArray
    """Shape (units, questions, 4): ``marks.confusion``, summed; all 0 for units without a reference."""

    @classmethod
    def of(cls, shares: tuple[FloatArray, FloatArray], crossed: FloatArray, side: Side) -> Tallies:
        """Sum conversations by unit; all of shape (conversations, …)."""
        summed = (*shares, shares[1] ** 2, crossed)
        return cls(*(sums_by(side.unit_of, values, side.n_units) for values in summed))

    @property
    def calibrated(self) -> IntArray:
        """Shape (units,): 1 where a reference is known for any item, else 0."""
        known: IntArray = (self.crossed.sum(axis=(1, 2)) > 0).astype(np.int64)
        return known

    @property
    def n_units(self) -> int:
        """Units with a label by the annotator."""
        return int((self.n > 0).sum())

    @property
    def counted(self) -> FloatArray:
        """Shape (questions,): the proportion that the annotator counts, the mean of conversations'."""
        shares: FloatArray = self.yes.sum(axis=0) / max(float(self.n.sum()), 1.0)
        return shares

    def redrawn(self, weights: Weights, rng: Generator) -> FloatArray:
        """Return ``counted`` for units drawn by ``weights``, with imagined observations as in ``redrawn_rates``."""
        n, yes = self._weighed(weights)
        imagined = rng.gamma(PRIOR, size=(2, *yes.shape)) * (float(self.n.sum()) / max(self.n_units, 1))
        shares: FloatArray = (yes + imagined[0]) / (n + imagined.sum(axis=0))
        return shares

    def _weighed(self, weights: Weights) -> tuple[FloatArray, FloatArray]:
        n, yes = (_summed(values, weights) for values in (self.n, self.yes))
        return n[:, None], yes

    def rates(self) -> tuple[FloatArray, FloatArray]:
        """Return sensitivity and specificity, shape (questions,); NaN where the reference has no such item."""
        hits, members = self.crossed.sum(axis=0)[:, 0::2], self.crossed.sum(axis=0)[:, 1::2]
        found = np.full(hits.shape, np.nan)
        np.divide(hits, members, out=found, where=members > 0)
        return found[:, 0], found[:, 1]

    def smoothed_rates(self) -> tuple[FloatArray, FloatArray]:
        """Return ``rates`` with an imagined hit and an imagined miss in each class."""
        total = self.crossed.sum(axis=0)
        prior = PRIOR * self.typical_mass
        found = (total[:, 0::2] + prior) / (total[:, 1::2] + 2 * prior)
        return found[:, 0], found[:, 1]

    def redrawn_rates(self, weights: Weights, rng: Generator) -> tuple[FloatArray, FloatArray]:
        """Return sensitivity and specificity for units drawn by ``weights``; shape (replicates, questions).

        Each replicate gets an imagined hit and an imagined miss in each class with random weights, so that an
        annotator that never erred on a few items is not taken for one that cannot. The imagined ones weigh what one
        unit that has the class does.
        """
        known = self.calibrated > 0
        flat = self.crossed[known].reshape(int(known.sum()), -1)
        drawn = _summed(flat, weights[known]).reshape(weights.shape[1], -1, 4)
        hits, members = drawn[:, :, 0::2], drawn[:, :, 1::2]
        imagined = rng.gamma(PRIOR, size=(2, *hits.shape)) * self.typical_mass
        found = (hits + imagined[0]) / np.maximum(members + imagined.sum(axis=0), 1e-12)
        return found[:, :, 0], found[:, :, 1]

    @property
    def typical_mass(self) -> FloatArray:
        """Shape (questions, 2): what a unit holds of the positives and of the negatives, of units that hold any."""
        members = self.crossed[:, :, 1::2]
        mass: FloatArray = members.sum(axis=0) / np.maximum((members > 0).sum(axis=0), 1)
        return np.where(mass > 0, mass, 1.0)


def _summed(of_units: FloatArray, weights: Weights) -> FloatArray:
    """Return the sums over units, shape (units, …), in each replicate; shape (replicates, …)."""
    values = of_units.astype(np.float32)
    return np.concatenate([some.T @ values for some in in_blocks(weights)]).astype(np.float64)


def draw_calibrated(side: Side, calibrated: IntArray, n_replicates: int, rng: Generator) -> Weights:
    """Draw units with replacement, those with a reference and those without apart, each within their strata.

    Cells of too few units are merged into one with a reference and one without.
    """
    cell = side.stratum_of * 2 + calibrated
    too_few = np.bincount(cell)[cell] < MIN_UNITS_A_STRATUM
    cell = np.where(too_few, calibrated - 2, cell)
    strata = np.unique(cell, return_inverse=True)[1].astype(np.int64)
    return draw(strata, np.bincount(strata), n_replicates, rng)


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
