"""What of a need a fine-tuned shopper is told: its words of content, in no order that could be copied."""

from __future__ import annotations

import re

MAX_WORDS = 12
MAX_CHARACTERS = 2_000
WORD = re.compile(r"[^\W_]{2,}(?:['’-][^\W_]+)*")


def need_words(text: str) -> list[str]:
    """Return at most twelve words of content, without repeats, in alphabetical order.

    A need that was drawn from a log is what a person said first. A model that is shown this very sentence while it
    learns to say it learns to copy; shown what it is about, it learns to put it in words. English stop words are
    those of scikit-learn.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words = (found.group().lower() for found in WORD.finditer(text[:MAX_CHARACTERS]))
    told = dict.fromkeys(word for word in words if word not in ENGLISH_STOP_WORDS)
    return sorted(list(told)[:MAX_WORDS])
