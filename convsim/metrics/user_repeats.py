"""Metric: how often the user says the very same again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from math import nan
from typing import TYPE_CHECKING

from convsim.schema import Columns, Metric

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray


def _repeats(texts: Sequence[str]) -> Iterator[float]:
    """Yield, for each message of one conversation, whether it repeats; NaN where it is empty or the first."""
    said: set[str] = set()
    for text in texts:
        folded = " ".join(text.casefold().split())
        yield float(folded in said) if folded and said else nan
        if folded:
            said.add(folded)


def _measure(columns: Columns) -> FloatArray:
    conversations = columns.by_conversation(columns.user_texts)
    return columns.mean_over_user(chain.from_iterable(map(_repeats, conversations)))


USER_REPEATS = Metric(
    name="user_repeats",
    unit="share of messages",
    level="turn",
    description=(
        "Share of the user's non-empty messages after the first, which has nothing to repeat, that are an "
        "earlier one of the conversation again but for case and white space; undefined with fewer than two."
    ),
    source="convsim: verbatim repetition, a common fault of language models in long conversations.",
    measure=_measure,
)
