"""Metric: how long the user's words are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convsim.schema import Columns, Metric
from convsim.schema.columns import MARK, ratio

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray


def _characters(words: Sequence[str]) -> int:
    text = "".join(words)
    return len(text if text.isascii() else MARK.sub("", text))


def _measure(columns: Columns) -> FloatArray:
    characters = columns.sum_over_user(map(_characters, columns.user_words))
    return ratio(characters, columns.sum_over_user(columns.user_word_counts))


USER_CHARACTERS_PER_WORD = Metric(
    name="user_characters_per_word",
    unit="characters",
    level="conversation",
    description=(
        "Mean length of the user's words: their characters, apostrophes and hyphens inside a word included, "
        "combining marks not; undefined without a user word."
    ),
    source="Mendenhall (1887), The characteristic curves of composition, Science 9; here the mean alone.",
    measure=_measure,
)
