"""Metric: how often the user asks."""

from functools import partial

from convsim.metrics.shares import share_of_texts
from convsim.schema import Metric
from convsim.text.lexicons import read_character_class

USER_QUESTIONS = Metric(
    name="user_questions",
    unit="share of messages",
    level="turn",
    description=(
        "Share of the user's non-empty messages with a question mark of any script; questions without one "
        "are an annotator's business."
    ),
    source="convsim: a surface cue of asking.",
    measure=partial(share_of_texts, holds=read_character_class("question_marks").search),
)
