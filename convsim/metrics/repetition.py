"""Metrics of repetition: what the user says again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from math import nan
from typing import TYPE_CHECKING

from convsim.metrics.language import needs_list, nowhere
from convsim.schema import Columns, Metric

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray


def _repeats(texts: Sequence[str]) -> Iterator[float]:
    """Yield, for each message of one conversation, whether it repeats; NaN where it is empty or the first."""
    said: set[str] = set()
    for text in texts:
        folded = " ".join(text.casefold().split())
        yield float(folded in said) if folded and said else nan
        if folded:
            said.add(folded)


def _measure_user_repeats(columns: Columns) -> FloatArray:
    conversations = columns.by_conversation(columns.user_texts)
    return columns.mean_over_user(chain.from_iterable(map(_repeats, conversations)))


USER_REPEATS = Metric(
    name="user_repeats",
    unit="proportion of messages",
    level="turn",
    description=(
        "Proportion of the user's non-empty messages after the first, which has nothing to repeat, that are an "
        "earlier one of the conversation again but for case and white space; undefined with fewer than two."
    ),
    source="convsim: verbatim repetition, a common fault of language models in long conversations.",
    measure=_measure_user_repeats,
)


def _restatements(
    messages: Sequence[Sequence[str]], empty: Sequence[bool], stop_words: frozenset[str]
) -> Iterator[float]:
    """Yield, for each message of one conversation, whether it restates; NaN for the first and those left out."""
    spoken = False
    said: set[str] = set()
    for message, is_empty in zip(messages, empty, strict=True):
        content = set(message) - stop_words
        yield float(2 * len(content & said) >= len(content)) if content and spoken else nan
        spoken = spoken or not is_empty
        said |= content


def _measure_user_restates(columns: Columns) -> FloatArray:
    stop_words = columns.lexicon.entries("stop_words", columns.language.of_lists)
    if stop_words is None:
        return nowhere(columns)
    messages = columns.by_conversation(columns.user_words)
    empty = columns.by_conversation(columns.user_is_empty)
    return columns.mean_over_user(
        chain.from_iterable(map(_restatements, messages, empty, repeat(stop_words)))
    )


USER_RESTATES = Metric(
    name="user_restates",
    unit="proportion of messages",
    level="turn",
    description=(
        "Proportion of the user's non-empty messages after the first of whose different words, stop words aside "
        "(lexicon/<language>/stop_words.txt), at least half were said by the user before in the conversation. "
        "Messages with no other words than stop words are left out; undefined without any message left. Unlike "
        "user_repeats, which asks for the whole message verbatim, it sees 'i said red boots' after 'red boots please', "
        "and sees nothing in a second 'yes'."
    ),
    source="convsim: shoppers who are not understood state their need again, seldom in the very same words.",
    measure=_measure_user_restates,
    undefined_for=needs_list("stop_words"),
)
