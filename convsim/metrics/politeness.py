"""Metrics of politeness: please, thanks and sorry."""

from functools import partial

from convsim.metrics.shares import share_with_words
from convsim.schema import Metric
from convsim.text.lexicons import read_lexicon

USER_PLEASE = Metric(
    name="user_please",
    unit="share of messages",
    level="turn",
    description="Share of the user's non-empty messages with an English please (lexicon/please.txt).",
    source=(
        "Danescu-Niculescu-Mizil et al. (2013), A computational approach to politeness: strategy please; "
        "the word list is ours."
    ),
    measure=partial(share_with_words, lexicon=read_lexicon("please")),
)


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


USER_SORRY = Metric(
    name="user_sorry",
    unit="share of messages",
    level="turn",
    description="Share of the user's non-empty messages with an English word of apology (lexicon/sorry.txt).",
    source=(
        "Danescu-Niculescu-Mizil et al. (2013), A computational approach to politeness: strategy "
        "apologizing; the word list is ours."
    ),
    measure=partial(share_with_words, lexicon=read_lexicon("sorry")),
)
