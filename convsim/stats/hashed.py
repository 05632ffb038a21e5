"""Views of more texts than get a vocabulary: n-grams are hashed to columns, and a linear model streams over rows.

A column stands for every n-gram whose hash is its number. Most stand for one; a name says where it is not the only one.
"""

from __future__ import annotations

import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, overload

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.stats.discriminator import Classifier
from convsim.stats.ngrams import MAX_TEXT, QUOTES, TextView, without_ngrams
from convsim.stats.two_sample import Compared
from convsim.stats.view import in_several_groups
from convsim.text.words import words as words_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from convsim.stats.discriminator import Features

MAX_EXACT = 50_000
"""Texts of a side up to which n-grams have a vocabulary and the classifier is fitted to convergence."""
WORD_COLUMNS = 1 << 18
CHARACTER_COLUMNS = 1 << 16
EPOCHS = 5
"""Passes over the rows, of which the coefficients are averaged."""
MAX_HOLDERS = 500
"""Rows that are looked at for the name of a column."""

Ngrams = Callable[[str], Iterable[str]]


def hashed_words(
    texts: Sequence[str], n_real: int, group: IntArray, kept: BoolArray, detail: dict[str, int]
) -> TextView:
    """Count runs of one or two words as ``word_ngrams`` does, hashed to 262,144 columns; none is left out for rarity.

    Args:
        texts: Of both sides, the real ones first.
        n_real: How many were real before any were dropped.
        group: Shape (texts,): a column that stands in one group alone is left out.
        kept: Shape (texts before any were dropped,): which of them these are.
        detail: What the view says of itself.

    Source:
        Weinberger et al. (2009), Feature hashing for large scale multitask learning; without signs, so that a count
        stays one.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    whole = hashed_counts(texts, word_runs, WORD_COLUMNS)
    columns = in_several_groups(whole, group) if len(texts) else np.zeros(0, np.int64)
    dropped = (int((~kept[:n_real]).sum()), int((~kept[n_real:]).sum()))
    told = {**detail, "n_hash_columns": WORD_COLUMNS}
    if not len(columns):
        return without_ngrams(len(texts), kept, dropped, told)
    counts = whole[:, columns]
    frequencies = TfidfTransformer(sublinear_tf=True).fit(counts)

    def read(texts: Sequence[str]) -> Features:
        weighted: Features = frequencies.transform(hashed_counts(texts, word_runs, WORD_COLUMNS)[:, columns])
        return weighted

    names = HashedNames(texts, counts, columns, word_runs, WORD_COLUMNS)
    weighted = frequencies.transform(counts)
    single = _ones(weighted)
    compared = [
        (Compared(weighted, single), HashedNames(texts, counts, columns, word_runs, WORD_COLUMNS, "“{}”"))
    ]
    return TextView(weighted, names, single, compared, kept, dropped, told, read, streamed_regression)


def hashed_characters(texts: Sequence[str], group: IntArray) -> Iterator[tuple[Compared, Sequence[str]]]:
    """Runs of one or two characters with their case, hashed: runs of three would not fit into memory."""
    from sklearn.feature_extraction.text import TfidfTransformer

    counts = hashed_counts(texts, character_runs, CHARACTER_COLUMNS)
    columns = in_several_groups(counts, group)
    if not len(columns):
        return
    counts = counts[:, columns]
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    names = HashedNames(texts, counts, columns, character_runs, CHARACTER_COLUMNS, "the characters {!r}")
    yield Compared(weighted, _ones(weighted)), names


def word_runs(text: str) -> Iterator[str]:
    """Yield each word, and each two that stand side by side."""
    words = words_of(text)
    yield from words
    for first, second in pairwise(words):
        yield f"{first} {second}"


def character_runs(text: str) -> Iterator[str]:
    """Yield each character, and each two that stand side by side."""
    text = text[:MAX_TEXT].translate(QUOTES)
    yield from text
    for first, second in pairwise(text):
        yield first + second


def column_of(ngram: str, n_columns: int) -> int:
    """Return the column of an n-gram: CRC-32, the same on every machine."""
    return zlib.crc32(ngram.encode("utf-8", "surrogatepass")) % n_columns


def hashed_counts(texts: Iterable[str], ngrams: Ngrams, n_columns: int) -> csr_matrix:
    """Count n-grams by the columns that they are hashed to; shape (texts, columns)."""
    from scipy.sparse import csr_matrix

    columns, counts, ends = array("i"), array("f"), array("q", [0])
    for text in texts:
        counted = Counter(column_of(ngram, n_columns) for ngram in ngrams(text))
        for column in sorted(counted):
            columns.append(column)
            counts.append(counted[column])
        ends.append(len(columns))
    parts = (np.asarray(counts), np.asarray(columns), np.asarray(ends))
    return csr_matrix(parts, shape=(len(ends) - 1, n_columns), dtype=np.float32)


@dataclass(frozen=True)
class HashedNames(Sequence[str]):
    """The name of each column, found when it is asked for: the n-gram that most of the texts that hold it have."""

    texts: Sequence[str]
    counts: csr_matrix
    columns: IntArray
    """Which hash each column of ``counts`` stands for."""
    ngrams: Ngrams
    n_columns: int
    shown: str = "{}"

    def __len__(self) -> int:
        return len(self.columns)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        column = int(self.columns[place])
        rows = np.unique(self.counts[:, [int(place)]].nonzero()[0])
        some = rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_HOLDERS)).astype(np.int64)]
        held = Counter(
            ngram
            for row in some.tolist()
            for ngram in set(self.ngrams(self.texts[row]))
            if column_of(ngram, self.n_columns) == column
        )
        [(name, _), *others] = sorted(held.items(), key=lambda item: (-item[1], item[0]))
        return self.shown.format(name) + (f" (or {len(others)} rarer, hashed alike)" if others else "")


class StreamedRegression:
    """Logistic regression by averaged stochastic gradient descent: linear in the rows, and nothing else is held.

    The penalty is that of ``logistic_regression``. What it loses against the exact fit is measured by
    tests/benchmarks/hashed_discriminator.py.

    Source:
        Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging.
    """

    coef_: FloatArray

    def fit(self, features: Features, labels: BoolArray, sample_weight: FloatArray) -> StreamedRegression:
        """Fit on rows with weights."""
        from sklearn.linear_model import SGDClassifier

        self._model = SGDClassifier(
            loss="log_loss", alpha=1 / len(labels), max_iter=EPOCHS, tol=None, average=True, random_state=0
        )
        self._model.fit(features, labels, sample_weight=sample_weight)
        self.coef_ = np.asarray(self._model.coef_, np.float64)
        return self

    def decision_function(self, features: Features) -> FloatArray:
        """Return one score a row, higher for human."""
        return np.asarray(self._model.decision_function(features), np.float64)


def streamed_regression() -> Classifier:
    """Make an unfitted discriminator of many rows."""
    return StreamedRegression()


def _ones(counts: csr_matrix) -> csr_matrix:
    """Return 1 wherever there is a count, on the places that the counts lie on: these are not copied."""
    from scipy.sparse import csr_matrix

    ones = np.ones(len(counts.data), np.float32)
    return csr_matrix((ones, counts.indices, counts.indptr), shape=counts.shape)
