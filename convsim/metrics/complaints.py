"""Metrics of complaints: phrases of a lexicon in the user's messages."""

from __future__ import annotations

from convsim.metrics.language import needs_complaints
from convsim.metrics.proportions import proportion_found
from convsim.text.lexicons import ALL, read_phrase_lists

GENERAL = "general"
"""The list of the complaints that do not say what is wrong; the others are named after faults of an agent."""
FAULTS_COMPLAINED_OF = tuple(fault for fault in read_phrase_lists() if fault != GENERAL)
"""The faults that some list of English phrases names."""

USER_COMPLAINTS = proportion_found(
    "user_complaints",
    lambda columns: columns.lexicon.complaints(columns.language.of_lists).get(ALL),
    undefined_for=needs_complaints(ALL),
    description=(
        "Proportion of the user's non-empty messages with a phrase of complaint about the assistant, what it "
        "shows or what it says (lexicon/<language>/complaints.toml; ordinary_talk.txt names what sounds so and is "
        "none), in English common short forms and missing apostrophes allowed. Turning down all that was shown "
        "counts, a wish for something else or cheaper does not; a complaint in other words is missed. Undefined in "
        "languages without a list."
    ),
    source=(
        "convsim; after dissatisfied user utterances: See and Manning (2021), Understanding and predicting user "
        "dissatisfaction in a neural generative chatbot, SIGDIAL; the phrases are ours."
    ),
)
