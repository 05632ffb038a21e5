"""Metric: how much the user writes before having met the agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsim.schema import Columns, Metric

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray


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
)
