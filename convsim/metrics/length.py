"""Metrics of length: turns, and words of either side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsim.metrics.language import needs_words
from convsim.schema import Columns, Metric
from convsim.schema.columns import ratio

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

TURNS = Metric(
    name="turns",
    unit="turns",
    level="conversation",
    description="Turns: runs of user messages, empty ones included, each with the agent's answer to it.",
    source="Meshi et al. (2026), ConvApparel, arXiv 2602.16938: population-level statistical alignment.",
    measure=lambda columns: columns.turns.astype(float),
)


USER_WORDS_PER_TURN = Metric(
    name="user_words_per_turn",
    unit="words",
    level="turn",
    description="Words of the user over turns; undefined without a turn.",
    source="Meshi et al. (2026), ConvApparel, arXiv 2602.16938: population-level statistical alignment.",
    measure=lambda columns: ratio(columns.sum_over_user(columns.user_word_counts), columns.turns),
    undefined_for=needs_words,
)


def _measure(columns: Columns) -> FloatArray:
    import numpy as np

    counts = np.full(columns.n, np.nan)
    spoken = columns.first_of >= 0
    counts[spoken] = columns.user_word_counts[columns.first_of[spoken]]
    return counts


USER_WORDS_FIRST_MESSAGE = Metric(
    name="user_words_first_message",
    unit="words",
    level="conversation",
    description="Words of the user's first message, 0 if it is empty; undefined without a user message.",
    source="convsim; no agent has been met yet, so it must not depend on one: compare arXiv 2605.11519.",
    measure=_measure,
    undefined_for=needs_words,
)


CONVERSATION_WORDS = Metric(
    name="conversation_words",
    unit="words",
    level="conversation",
    description="Words of the user and of the agent, what the agent says before the user speaks included.",
    source="convsim: a plain count.",
    moved_by_agent="it counts the agent's words too",
    measure=lambda columns: (
        columns.sum_over_user(columns.user_word_counts) + columns.sum_over_agent(columns.agent_word_counts)
    ),
    undefined_for=needs_words,
)


AGENT_WORDS_PER_TURN = Metric(
    name="agent_words_per_turn",
    unit="words",
    level="turn",
    description=(
        "Words of the agent's answers over turns; what it says before the user first speaks belongs to none. "
        "Undefined without a turn."
    ),
    source="convsim: it is the agent's, and tells whether both sides met the same one.",
    measure=lambda columns: ratio(
        columns.sum_over_agent(columns.agent_word_counts * columns.agent_in_turn), columns.turns
    ),
    role="control",
    undefined_for=needs_words,
)
