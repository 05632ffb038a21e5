"""Metrics of complaints: phrases of a lexicon in the user's messages."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from convsim.metrics.proportions import proportion_by_words
from convsim.text.lexicons import Phrases, read_lexicon, read_phrase_lists

GENERAL = "general"
"""The list of the complaints that do not say what is wrong; the others are named after faults of an agent."""

_LISTS = read_phrase_lists("complaints")
_ORDINARY = read_lexicon("ordinary_talk")

COMPLAINTS = Phrases(sorted(set(chain.from_iterable(_LISTS.values()))), ordinary=_ORDINARY)
COMPLAINTS_OF_FAULT: Mapping[str, Phrases] = {
    fault: Phrases(phrases, ordinary=_ORDINARY) for fault, phrases in _LISTS.items() if fault != GENERAL
}


USER_COMPLAINTS = proportion_by_words(
    "user_complaints",
    COMPLAINTS.in_words,
    description=(
        "Proportion of the user's non-empty messages with an English phrase of complaint about the assistant, what it "
        "shows or what it says (lexicon/complaints.toml; lexicon/ordinary_talk.txt names what sounds so and is none), "
        "common short forms and missing apostrophes allowed. Turning down all that was shown counts, a wish for "
        "something else or cheaper does not; a complaint in other words is missed."
    ),
    source=(
        "convsim; after dissatisfied user utterances: See and Manning (2021), Understanding and predicting user "
        "dissatisfaction in a neural generative chatbot, SIGDIAL; the phrases are ours."
    ),
)
