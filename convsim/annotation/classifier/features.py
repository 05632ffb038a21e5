"""Turns units into rows of numbers: TF-IDF of word and character n-grams, and the units' own numbers beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from convsim.annotation.classifier.units import Unit
from convsim.schema.columns import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    FloatArray = npt.NDArray[np.float64]

FEATURES_VERSION = 1
"""Moves with any change to units or features: a model must not meet other features than it was fitted on."""


@dataclass(frozen=True)
class Block:
    """One part of a row: n-grams of one side's text."""

    side: Literal["said", "heard"]
    of: Literal["words", "characters"]
    lengths: tuple[int, int]
    max_terms: int
    """The most frequent are kept; bounds memory at any size."""

    def texts(self, units: Sequence[Unit]) -> Iterator[str]:
        """Yield what the n-grams of each unit are taken from."""
        for unit in units:
            text: str = getattr(unit, self.side)
            yield " ".join(words(text)) if self.of == "words" else text


BLOCKS: Mapping[str, Block] = {
    "words": Block("said", "words", (1, 2), 20_000),
    "characters": Block("said", "characters", (2, 4), 30_000),
    "agent": Block("heard", "words", (1, 2), 10_000),
}


@dataclass(frozen=True)
class Terms:
    """The n-grams of one block, in the order of its columns, and the weight of each (idf)."""

    names: tuple[str, ...]
    weights: FloatArray


Vocabulary = Mapping[str, Terms]
"""By the names of BLOCKS, in their order."""


def learn_vocabulary(units: Sequence[Unit]) -> Vocabulary:
    """Take from ``units`` the n-grams that stand in two of them at least; labels play no part."""
    import numpy as np

    vocabulary = {}
    for name, block in BLOCKS.items():
        vectorizer = _vectorizer(block, None)
        try:
            vectorizer.fit(block.texts(units))
            terms = Terms(tuple(vectorizer.get_feature_names_out()), np.asarray(vectorizer.idf_, np.float64))
        except (
            ValueError
        ):  # scikit-learn's "empty vocabulary", or "no terms remain": nothing stands in two units
            terms = Terms((), np.zeros(0))
        vocabulary[name] = terms
    return vocabulary


class Featurizer:
    """Makes rows of a fixed vocabulary."""

    def __init__(self, vocabulary: Vocabulary):
        self._vectorizers: dict[str, TfidfVectorizer] = {}
        for name, terms in vocabulary.items():
            if terms.names:
                vectorizer = _vectorizer(BLOCKS[name], terms.names)
                vectorizer.idf_ = terms.weights
                self._vectorizers[name] = vectorizer

    def rows(self, units: Sequence[Unit]) -> csr_matrix:
        """Return one row a unit; shape (units, terms of all blocks + numbers of a unit)."""
        import numpy as np
        from scipy.sparse import csr_matrix, hstack

        parts = [
            vectorizer.transform(BLOCKS[name].texts(units)) for name, vectorizer in self._vectorizers.items()
        ]
        numbers = np.asarray([unit.numbers for unit in units], np.float64)
        return csr_matrix(hstack([*parts, csr_matrix(numbers)], format="csr"))


def _vectorizer(block: Block, terms: Sequence[str] | None) -> TfidfVectorizer:
    from sklearn.feature_extraction.text import TfidfVectorizer

    by_words = block.of == "words"
    return TfidfVectorizer(
        analyzer="word" if by_words else "char_wb",
        tokenizer=str.split if by_words else None,
        token_pattern=None,
        lowercase=False,
        ngram_range=block.lengths,
        sublinear_tf=True,
        vocabulary=terms,
        min_df=1 if terms else 2,
        max_features=None if terms else block.max_terms,
    )
