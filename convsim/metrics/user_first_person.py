"""Metric: how often the user speaks of themselves."""

from functools import partial

from convsim.metrics.shares import share_with_words
from convsim.schema import Metric
from convsim.text.lexicons import read_lexicon

USER_FIRST_PERSON = Metric(
    name="user_first_person",
    unit="share of messages",
    level="turn",
    description=(
        "Share of the user's non-empty messages with an English first-person pronoun "
        "(lexicon/first_person.txt)."
    ),
    source=(
        "Pennebaker, Mehl and Niederhoffer (2003), Psychological aspects of natural language use, Annual "
        "Review of Psychology 54; the word list is ours."
    ),
    measure=partial(share_with_words, lexicon=read_lexicon("first_person")),
)
