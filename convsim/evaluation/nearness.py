"""How near a side lies to what shoppers learned from: the longest run of words, and the nearest conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convsim.schema import Estimate
from convsim.schema.arrays import FloatArray, IntArray
from convsim.schema.conversation import Conversation
from convsim.schema.record import Count, Number, Record, Text
from convsim.schema.units import independent_unit
from convsim.stats.neighbours import similarities, tokens, vectors
from convsim.stats.proportions import Proportion, proportion
from convsim.stats.shared_runs import longest_shared_runs

MAX_CONVERSATIONS = 5_000
"""Of a side, and of what was learned from, the first so many."""
QUANTILE = 0.95
UNIT = "conversations"
NOT_GIVEN = "what shoppers learned from was not given (--learned FILE)"


class Nearness(Record):
    """How near the users of one side are to those of the conversations that shoppers learned from."""

    longest_run: Number | None = None
    """Mean over conversations of the longest run of words that somebody said there, too."""
    longest: Count | None = None
    """The longest of all, in words."""
    longest_in: Text | None = None
    """The id of the conversation that has it."""
    similarity: Estimate = Estimate()
    """Mean cosine similarity to the nearest conversation learned from, with its 95 % interval by user."""
    nearer_than_people: Proportion
    """The proportion that lies nearer to one of them than 95 % of the people do who were not learned from."""


@dataclass(frozen=True)
class Near:
    """What is known of each conversation of a side that is not itself among those learned from."""

    conversations: Sequence[Conversation]
    runs: IntArray
    """Shape (conversations,): words."""
    similarity: FloatArray
    """Shape (conversations,): 0 to 1."""

    @classmethod
    def of(
        cls,
        conversations: Sequence[Conversation],
        learned: Sequence[Conversation],
        *,
        leave_out_learned: bool,
    ) -> Near:
        """Look for the nearest of ``learned``; people who are among them are left out if asked."""
        known = {c.fingerprint for c in learned} if leave_out_learned else set()
        kept = [c for c in conversations if c.fingerprint not in known][:MAX_CONVERSATIONS]
        texts, others = [_said(c) for c in kept], [_said(c) for c in learned[:MAX_CONVERSATIONS]]
        if not texts or not others:
            return cls(kept, np.zeros(len(kept), np.int64), np.zeros(len(kept)))
        weighed = vectors([*texts, *others])
        own = weighed.take(np.arange(len(texts)))
        theirs = weighed.take(np.arange(len(texts), len(texts) + len(others)))
        nearest = np.concatenate([block.max(axis=1) for _, block in similarities(own, theirs)])
        return cls(
            kept, longest_shared_runs([tokens(t) for t in texts], [tokens(t) for t in others]), nearest
        )


def nearness(side: Near | None, people: Near | None) -> Nearness:
    """Sum up one side; where that can be told, beside the people.

    Args:
        side: None where it is not known what was learned from.
        people: Those who were not learned from.

    Source:
        Distance to the closest record: Zhao et al. (2021), CTAB-GAN: effective table data synthesizing.
    """
    if side is None or people is None:
        return Nearness(nearer_than_people=Proportion(unit=UNIT, reason=NOT_GIVEN))
    if not side.conversations:
        reason = "all its conversations are among those learned from"
        return Nearness(nearer_than_people=Proportion(unit=UNIT, reason=reason))
    units = [independent_unit(c) for c in side.conversations]
    nearer = Proportion(
        unit=UNIT, reason="all people are among those learned from, so that nobody shows what is usual"
    )
    if people.conversations:
        usual = float(np.quantile(people.similarity, QUANTILE))
        nearer = proportion(
            (side.similarity > usual).tolist(), units, unit=UNIT, undefined="there are no conversations"
        )
    at = int(side.runs.argmax())
    return Nearness(
        longest_run=float(side.runs.mean()),
        longest=int(side.runs[at]),
        longest_in=side.conversations[at].id if side.runs[at] else None,
        similarity=_mean(side.similarity, units),
        nearer_than_people=nearer,
    )


def _said(conversation: Conversation) -> str:
    return "\n".join(message.content for message in conversation.user_messages)


def _mean(values: FloatArray, units: Sequence[str]) -> Estimate:
    """Return a mean with its normal 95 % interval over units; none under two units."""
    unit_of = np.unique(units, return_inverse=True)[1]
    sums = np.bincount(unit_of, values - values.mean())
    mean, m = float(values.mean()), len(sums)
    if m < 2:
        return Estimate(estimate=mean)
    half = 1.96 * float(np.sqrt(m / (m - 1) * (sums**2).sum())) / len(values)
    return Estimate(estimate=mean, interval=(max(0.0, mean - half), min(1.0, mean + half)))
