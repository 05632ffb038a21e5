"""Metric: how often the user asks for the same again, in the same words or others around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from math import nan
from typing import TYPE_CHECKING

from convsim.schema import Columns, Metric
from convsim.text.lexicons import read_lexicon

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray

STOP_WORDS = read_lexicon("stop_words")


def _restatements(messages: Sequence[Sequence[str]], empty: Sequence[bool]) -> Iterator[float]:
    """Yield, for each message of one conversation, whether it restates; NaN for the first and those left out."""
    spoken = False
    said: set[str] = set()
    for message, is_empty in zip(messages, empty, strict=True):
        content = set(message) - STOP_WORDS
        yield float(2 * len(content & said) >= len(content)) if content and spoken else nan
        spoken = spoken or not is_empty
        said |= content


def _measure(columns: Columns) -> FloatArray:
    messages = columns.by_conversation(columns.user_words)
    empty = columns.by_conversation(columns.user_is_empty)
    return columns.mean_over_user(chain.from_iterable(map(_restatements, messages, empty)))


USER_RESTATES = Metric(
    name="user_restates",
    unit="share of messages",
    level="turn",
    description=(
        "Share of the user's non-empty messages after the first of whose different words, English stop words aside "
        "(lexicon/stop_words.txt), at least half were said by the user before in the conversation. Messages with no "
        "other words than stop words are left out; undefined without any message left. Unlike user_repeats, which "
        "asks for the whole message verbatim, it sees 'i said red boots' after 'red boots please', and sees nothing "
        "in a second 'yes'."
    ),
    source="convsim: shoppers who are not understood state their need again, seldom in the very same words.",
    measure=_measure,
)
