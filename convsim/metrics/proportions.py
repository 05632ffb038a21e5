"""Proportions of a user's messages: what the yes-or-no metrics have in common.

An empty message can show no habit, so it is left out of numerator and denominator; ``user_empty`` counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import nan

from convsim.schema import Columns, Metric

Words = Sequence[str]


def proportion_by_text(name: str, holds: Callable[[str], object], *, description: str, source: str) -> Metric:
    """Make the metric of the proportion of a user's non-empty messages of whose text something holds."""
    return _proportion(name, lambda columns: map(holds, columns.user_texts), description, source)


def proportion_by_words(
    name: str, holds: Callable[[Words], object], *, description: str, source: str
) -> Metric:
    """Make the metric of the proportion of a user's non-empty messages of whose words something holds."""
    return _proportion(name, lambda columns: map(holds, columns.user_words), description, source)


def proportion_with_word(name: str, lexicon: frozenset[str], *, description: str, source: str) -> Metric:
    """Make the metric of the proportion of a user's non-empty messages that have a word of ``lexicon``."""
    return proportion_by_words(
        name, lambda words: not lexicon.isdisjoint(words), description=description, source=source
    )


def _proportion(
    name: str, hits: Callable[[Columns], Iterable[object]], description: str, source: str
) -> Metric:
    return Metric(
        name=name,
        unit="proportion of messages",
        level="turn",
        description=description,
        source=source,
        measure=lambda columns: columns.mean_over_user(left_out_if_empty(columns, hits(columns))),
    )


def left_out_if_empty(columns: Columns, hits: Iterable[object]) -> Iterator[float]:
    """Yield 1 or 0 for each user message that hits or not, NaN for one that is empty."""
    for hit, empty in zip(hits, columns.user_is_empty, strict=True):
        yield nan if empty else bool(hit)
