"""Views of texts by their n-grams of words and of characters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from convsim.schema.arrays import BoolArray, IntArray
from convsim.stats.two_sample import Compared
from convsim.stats.view import View, in_several_groups, logistic_regression
from convsim.text.words import words as words_of

if TYPE_CHECKING:
    from convsim.stats.discriminator import Classifier, Features

MAX_NGRAMS = 50_000
"""The most frequent n-grams are kept; bounds memory at any size."""
MAX_CHARACTER_NGRAMS = 20_000
MAX_TEXT = 20_000
"""Characters of a conversation of which n-grams are made; bounds time at any length."""
QUOTES = str.maketrans("’‘“”", "''\"\"")
"""How an apostrophe is typed is a matter of the keyboard, and of the program that wrote the file."""


class ReadTexts(Protocol):
    """Makes features of texts, shape (texts, columns), by a vocabulary that stands."""

    def __call__(self, texts: Sequence[str]) -> Features:
        """Weigh all words of the texts."""
        ...


@dataclass(frozen=True)
class TextView(View):
    """A view of word n-grams, that further texts can be put into."""

    read: ReadTexts
    """By this view's vocabulary and frequencies."""
    make: Callable[[], Classifier] = logistic_regression
    """Makes what learns from it."""


def word_ngrams(
    texts: Sequence[str], n_real: int, group: IntArray, kept: BoolArray, detail: dict[str, int]
) -> TextView:
    """Count runs of one or two words, TF-IDF weighted.

    Args:
        texts: Of both sides, the real ones first.
        n_real: How many were real before any were dropped.
        group: Shape (texts,): an n-gram that stands in one group alone is left out.
        kept: Shape (texts before any were dropped,): which of them these are.
        detail: What the view says of itself.
    """
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

    vectorizer = CountVectorizer(
        ngram_range=(1, 2), min_df=2 if len(texts) > 2 else 1, max_features=MAX_NGRAMS,
        tokenizer=words_of, token_pattern=None, lowercase=False, dtype=np.float32,
    )  # fmt: skip
    dropped = (int((~kept[:n_real]).sum()), int((~kept[n_real:]).sum()))
    try:
        counts = vectorizer.fit_transform(texts)
    except ValueError:  # scikit-learn's "empty vocabulary": no n-gram stands in two conversations
        return without_ngrams(len(texts), kept, dropped, detail)
    common = in_several_groups(counts, group)
    if not len(common):
        return without_ngrams(len(texts), kept, dropped, detail)
    counts = counts[:, common]
    frequencies = TfidfTransformer(sublinear_tf=True).fit(counts)

    def read(texts: Sequence[str]) -> Features:
        weighted: Features = frequencies.transform(vectorizer.transform(texts)[:, common])
        return weighted

    names = vectorizer.get_feature_names_out()[common].tolist()
    weighted = frequencies.transform(counts)
    compared = [(Compared(weighted, (counts > 0).astype(np.float32)), [f"“{name}”" for name in names])]
    return TextView(weighted, names, counts > 0, compared, kept, dropped, detail, read)


def without_ngrams(n: int, kept: BoolArray, dropped: tuple[int, int], detail: dict[str, int]) -> TextView:
    """Return a view of ``n`` texts that share no n-gram: it has no columns."""
    nothing = np.zeros((n, 0))
    return TextView(nothing, [], nothing, [], kept, dropped, detail, lambda texts: np.zeros((len(texts), 0)))


def character_ngrams(texts: Sequence[str], group: IntArray) -> Iterator[tuple[Compared, Sequence[str]]]:
    """Runs of one to three characters with their case, TF-IDF weighted: what words leave out."""
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

    vectorizer = CountVectorizer(
        analyzer="char", ngram_range=(1, 3), lowercase=False, min_df=2 if len(texts) > 2 else 1,
        max_features=MAX_CHARACTER_NGRAMS, dtype=np.float32,
    )  # fmt: skip
    try:
        counts = vectorizer.fit_transform([text[:MAX_TEXT].translate(QUOTES) for text in texts])
    except ValueError:  # scikit-learn's "empty vocabulary"
        return
    common = in_several_groups(counts, group)
    if not len(common):
        return
    counts = counts[:, common]
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    names = [f"the characters {name!r}" for name in vectorizer.get_feature_names_out()[common]]
    yield Compared(weighted, (counts > 0).astype(np.float32)), names
