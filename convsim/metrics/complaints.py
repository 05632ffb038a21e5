"""What shoppers complain in: the phrases of lexicon/complaints.toml, by what went wrong."""

from collections.abc import Mapping
from itertools import chain

from convsim.text.lexicons import Phrases, read_lexicon, read_phrase_lists

GENERAL = "general"
"""The list of the complaints that do not say what is wrong; the others are named after faults of an agent."""

_LISTS = read_phrase_lists("complaints")
_ORDINARY = read_lexicon("ordinary_talk")

COMPLAINTS = Phrases(sorted(set(chain.from_iterable(_LISTS.values()))), ordinary=_ORDINARY)
COMPLAINTS_OF_FAULT: Mapping[str, Phrases] = {
    fault: Phrases(phrases, ordinary=_ORDINARY) for fault, phrases in _LISTS.items() if fault != GENERAL
}
