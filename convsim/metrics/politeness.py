"""Metrics of politeness: please, thanks and sorry."""

from convsim.metrics.proportions import proportion_with_entry
from convsim.schema import Metric


def _politeness(lexicon: str, *, word: str, strategy: str) -> Metric:
    return proportion_with_entry(
        f"user_{lexicon}",
        lexicon,
        description=(
            f"Proportion of the user's non-empty messages with a {word} of their language "
            f"(lexicon/<language>/{lexicon}.txt); undefined in languages without a list."
        ),
        source=(
            f"Danescu-Niculescu-Mizil et al. (2013), A computational approach to politeness: strategy {strategy}; "
            "the word lists are ours."
        ),
    )


USER_PLEASE = _politeness("please", word="word of polite request", strategy="please")
USER_THANKS = _politeness("thanks", word="word of thanks", strategy="gratitude")
USER_SORRY = _politeness("sorry", word="word of apology", strategy="apologizing")
