"""Shares of a user's messages: the arithmetic that the yes-or-no metrics have in common.

An empty message can show no habit, so it is left out of numerator and denominator; ``user_empty`` counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import nan
from typing import TYPE_CHECKING

from convsim.schema import Columns

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray


def share_of_texts(columns: Columns, *, holds: Callable[[str], object]) -> FloatArray:
    """Share of each user's non-empty messages of whose text ``holds`` is true; shape (n,)."""
    return columns.mean_over_user(left_out_if_empty(columns, map(holds, columns.user_texts)))


def share_with_words(columns: Columns, *, lexicon: frozenset[str]) -> FloatArray:
    """Share of each user's non-empty messages that hold a word of ``lexicon``; shape (n,)."""
    hits = (not lexicon.isdisjoint(words) for words in columns.user_words)
    return columns.mean_over_user(left_out_if_empty(columns, hits))


def left_out_if_empty(columns: Columns, hits: Iterable[object]) -> Iterator[float]:
    """Yield 1 or 0 for each user message that hits or not, NaN for one that is empty."""
    for hit, empty in zip(hits, columns.user_is_empty, strict=True):
        yield nan if empty else bool(hit)
