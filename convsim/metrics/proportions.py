"""Proportions of a user's messages: what the yes-or-no metrics have in common.

An empty message can show no habit, so it is left out of numerator and denominator; ``user_empty`` counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import nan
from typing import TYPE_CHECKING

from convsim.metrics.language import needs_list, nowhere
from convsim.schema import Columns, Metric
from convsim.text.phrases import Finds

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray


def proportion_by_text(name: str, holds: Callable[[str], object], *, description: str, source: str) -> Metric:
    """Make the metric of the proportion of a user's non-empty messages of whose text something holds."""
    return Metric(
        name=name,
        unit="proportion of messages",
        level="turn",
        description=description,
        source=source,
        measure=lambda columns: columns.mean_over_user(
            left_out_if_empty(columns, map(holds, columns.user_texts))
        ),
    )


def proportion_with_entry(name: str, lexicon: str, *, description: str, source: str) -> Metric:
    """Make the metric of the proportion of a user's non-empty messages that hold an entry of a language's list."""
    return proportion_found(
        name,
        lambda columns: columns.lexicon.words(lexicon, columns.language.of_lists),
        undefined_for=needs_list(lexicon),
        description=description,
        source=source,
    )


def proportion_found(
    name: str,
    find: Callable[[Columns], Finds | None],
    *,
    undefined_for: Callable[[Columns], str | None],
    description: str,
    source: str,
) -> Metric:
    """Make the metric of the proportion of a user's non-empty messages in which something is found.

    Args:
        name: The metric's.
        find: What finds it in a side's language; None where nothing does.
        undefined_for: Why nothing does.
        description: The metric's.
        source: The metric's.
    """

    def measure(columns: Columns) -> FloatArray:
        finds = find(columns)
        if finds is None:
            return nowhere(columns)
        hits = map(finds, columns.user_texts, columns.user_words)
        return columns.mean_over_user(left_out_if_empty(columns, hits))

    return Metric(
        name=name,
        unit="proportion of messages",
        level="turn",
        description=description,
        source=source,
        measure=measure,
        undefined_for=undefined_for,
    )


def left_out_if_empty(columns: Columns, hits: Iterable[object]) -> Iterator[float]:
    """Yield 1 or 0 for each user message that hits or not, NaN for one that is empty."""
    for hit, empty in zip(hits, columns.user_is_empty, strict=True):
        yield nan if empty else bool(hit)
