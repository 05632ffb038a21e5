"""How far apart two arms' texts lie on average: maximum mean discrepancy with a linear kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.text.words import words

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LENGTH_WEIGHT = 0.2
"""Of the standardised length beside the words; found by simulation to lose neither (tests/calibration)."""
MAX_WORDS = 20_000
"""The most frequent words are kept; bounds memory at any size."""
MAX_CHARACTERS = 5_000
"""What a longer text has beyond is left out."""


def embed(texts: Sequence[str]) -> tuple[csr_matrix, list[str]]:
    """Map texts to what the kernel compares: which words they hold, and how many.

    Words count once a text, are not weighted by rarity, and each text's are scaled to length 1. The number of words
    enters as its logarithm, standardised over all texts, times ``LENGTH_WEIGHT``.

    Returns:
        Shape (n, words + 1), and the words; the last column is the length.
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    tokens = [words(text[:MAX_CHARACTERS]) for text in texts]
    lengths = np.log1p([len(said) for said in tokens])
    spread = float(lengths.std())
    scaled = LENGTH_WEIGHT * (lengths - lengths.mean()) / (spread if spread > 0 else 1.0)
    column = csr_matrix(scaled[:, None])
    if not any(tokens):
        return column, []
    split: Callable[[str], list[str]] = str.split
    vectorizer = CountVectorizer(
        tokenizer=split, token_pattern=None, lowercase=False, binary=True, max_features=MAX_WORDS, dtype=np.float64
    )  # fmt: skip
    found = vectorizer.fit_transform([" ".join(said) for said in tokens])
    return hstack([normalize(found), column], format="csr"), list(vectorizer.get_feature_names_out())


def contrasts(embedded: csr_matrix, treated: BoolArray, task_of: IntArray) -> FloatArray:
    """Return the arms' mean texts, treated less control, for each way of dealing the arms.

    The arms are compared within each task, and the tasks' differences averaged with the weights a*b/(a+b) of a task
    with a and b conversations in the arms, which give the average the least noise. 0 if the arms say the same.

    Args:
        embedded: Shape (n, p).
        treated: Shape (replicates, n); each task holds as many treated conversations in every replicate, at least one,
            and at least one that is not.
        task_of: Shape (n,).

    Returns:
        Shape (p, replicates).
    """
    totals = np.bincount(task_of).astype(np.float64)
    above = np.bincount(task_of, treated[0])
    weights = above * (totals - above) / totals
    weights /= weights.sum()
    per_treated, per_control = (weights / above)[task_of], (weights / (totals - above))[task_of]
    signed = np.where(treated, per_treated, -per_control)
    return np.asarray(embedded.T.tocsr() @ signed.T, np.float64)


def discrepancies(embedded: csr_matrix, treated: BoolArray, task_of: IntArray) -> FloatArray:
    """Return the distance between the arms' mean texts, for each way of dealing the arms: the length of a contrast.

    Returns:
        Shape (replicates,): the root of the squared distance, which is the biased estimate of MMD.

    Source:
        Gretton et al. (2012), A kernel two-sample test, Journal of Machine Learning Research 13, equation 5, with a
        linear kernel, for which it is the distance of two means. We depart in comparing within tasks.
    """
    found: FloatArray = np.sqrt((contrasts(embedded, treated, task_of) ** 2).sum(axis=0))
    return found
