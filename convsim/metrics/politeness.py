"""Metrics of politeness: please, thanks and sorry."""

from convsim.metrics.proportions import proportion_with_word
from convsim.schema import Metric
from convsim.text.lexicons import read_lexicon


def _politeness(lexicon: str, *, word: str, strategy: str) -> Metric:
    return proportion_with_word(
        f"user_{lexicon}",
        read_lexicon(lexicon),
        description=f"Proportion of the user's non-empty messages with an English {word} (lexicon/{lexicon}.txt).",
        source=(
            f"Danescu-Niculescu-Mizil et al. (2013), A computational approach to politeness: strategy {strategy}; "
            "the word list is ours."
        ),
    )


USER_PLEASE = _politeness("please", word="please", strategy="please")
USER_THANKS = _politeness("thanks", word="word of thanks", strategy="gratitude")
USER_SORRY = _politeness("sorry", word="word of apology", strategy="apologizing")
