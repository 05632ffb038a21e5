"""Metric: how often the user thanks."""

from functools import partial

from convsim.metrics.shares import share_with_words
from convsim.schema import Metric
from convsim.text.lexicons import read_lexicon

USER_THANKS = Metric(
    name="user_thanks",
    unit="share of messages",
    level="turn",
    description="Share of the user's non-empty messages with an English word of thanks (lexicon/thanks.txt).",
    source=(
        "Danescu-Niculescu-Mizil et al. (2013), A computational approach to politeness: strategy gratitude; "
        "the word list is ours."
    ),
    measure=partial(share_with_words, lexicon=read_lexicon("thanks")),
)
