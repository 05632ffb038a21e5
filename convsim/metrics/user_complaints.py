"""Metric: how often the user complains of the assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convsim.metrics.complaints import COMPLAINTS
from convsim.metrics.shares import left_out_if_empty
from convsim.schema import Columns, Metric

if TYPE_CHECKING:
    from convsim.schema.columns import FloatArray


def _measure(columns: Columns) -> FloatArray:
    return columns.mean_over_user(left_out_if_empty(columns, map(COMPLAINTS.in_words, columns.user_words)))


USER_COMPLAINTS = Metric(
    name="user_complaints",
    unit="share of messages",
    level="turn",
    description=(
        "Share of the user's non-empty messages with an English phrase of complaint about the assistant, what it "
        "shows or what it says (lexicon/complaints.toml; lexicon/ordinary_talk.txt names what sounds so and is none), "
        "common short forms and missing apostrophes allowed. Turning down all that was shown counts, a wish for "
        "something else or cheaper does not; a complaint in other words is missed."
    ),
    source=(
        "convsim; after dissatisfied user utterances: See and Manning (2021), Understanding and predicting user "
        "dissatisfaction in a neural generative chatbot, SIGDIAL; the phrases are ours."
    ),
    measure=_measure,
)
