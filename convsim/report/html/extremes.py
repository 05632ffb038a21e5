"""Which simulated conversations the discriminator took least, and most, for a person's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from convsim.report.html.chat import Chat, chat
from convsim.report.html.conversation_scores import scores_of
from convsim.schema import Finding
from convsim.schema.conversation import Conversation

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
