"""Makes labels of votes: what more than half of them say; where none has that, there is no label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convsim.schema import Completion
from convsim.schema.conversation import Label

ACTS = "acts"


@dataclass(frozen=True, kw_only=True)
class Vote:
    """One answer about one message, or about a conversation, which has no acts."""

    experience: Mapping[str, int]
    completions: tuple[Completion, ...]
    acts: frozenset[str] = frozenset()


def labels_of(votes: Sequence[Vote], *, source: str) -> dict[str, Label]:
    """Return the labels that the votes carry.

    A value, or an act, needs more than half of the votes. A tie gives no label, neither the one value nor the other:
    either would be made up. Several votes leave ``agreement`` in a label's metadata, from 0 to 1: the share of votes
    with the label's value; for acts the mean overlap (shared acts over acts of either) of a vote with the label.
    """
    labels: dict[str, Label] = {}
    acts = Counter(act for vote in votes for act in vote.acts)
    if carried := sorted(act for act, n in acts.items() if 2 * n > len(votes)):
        agreement = sum(_overlap(vote.acts, frozenset(carried)) for vote in votes) / len(votes)
        labels[ACTS] = Label(value=[*carried], source=source, metadata=_kept(agreement, votes))
    for name in sorted(votes[0].experience):
        share = sum(vote.experience[name] for vote in votes) / len(votes)
        if share != 0.5:
            kept = _kept(max(share, 1 - share), votes)
            labels[name] = Label(value=int(share > 0.5), source=source, scale=(0, 1), metadata=kept)
    return labels


def _kept(agreement: float, votes: Sequence[Vote]) -> dict[str, float]:
    return {"agreement": agreement} if len(votes) > 1 else {}


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
