"""Metrics: how often the user says what is wrong with the agent, one metric a fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from math import nan
from typing import TYPE_CHECKING

from convsim.errors import InputError
from convsim.metrics.complaints import COMPLAINTS_OF_FAULT
from convsim.metrics.shares import left_out_if_empty
from convsim.schema import Columns, Metric
from convsim.text.lexicons import Phrases

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray


def mentions(fault: str) -> Metric:
    """Make the metric of how often a user mentions a fault of the agent.

    Raises:
        InputError: no phrases are known for ``fault``.
    """
    if fault not in COMPLAINTS_OF_FAULT:
        known = ", ".join(COMPLAINTS_OF_FAULT)
        raise InputError(
            f"no phrases tell that a user mentions the fault {fault!r}; there are some for: {known}"
        )
    return Metric(
        name=f"user_mentions_{fault}",
        unit="share of messages",
        level="turn",
        description=(
            "Share of the user's non-empty messages after the agent's first with an English phrase that names the "
            f"trouble (lexicon/complaints.toml, {fault}), common short forms and missing apostrophes allowed; "
            "undefined without such a message. Some phrases name several faults."
        ),
        source="convsim: did the user notice, in words; the phrases are ours.",
        measure=partial(_measure, phrases=COMPLAINTS_OF_FAULT[fault]),
    )


def _measure(columns: Columns, *, phrases: Phrases) -> FloatArray:
    hits = left_out_if_empty(columns, map(phrases.in_words, columns.user_words))
    return columns.mean_over_user(
        hit if answers else nan for hit, answers in zip(hits, _follow_the_agent(columns), strict=True)
    )


def _follow_the_agent(columns: Columns) -> Iterator[bool]:
    """Yield, for each user message, whether the agent had spoken before in its conversation."""
    for conversation in columns.conversations:
        spoken = False
        for message in conversation.messages:
            if message.role == "user":
                yield spoken
            spoken = spoken or message.role == "assistant"


MENTIONS: Mapping[str, Metric] = {
    metric.name: metric for metric in (mentions(fault) for fault in COMPLAINTS_OF_FAULT)
}
