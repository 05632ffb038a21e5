"""For a conversation of one side, the one of the other side whose user says the likest words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from convsim.schema.conversation import Conversation

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MAX_CHARACTERS = 20_000
"""Of what a user said, so that one conversation cannot fill the memory."""
MAX_ALL_CHARACTERS = 40_000_000
MAX_WORDS = 50_000
"""Different words, the most frequent ones."""
BATCH = 256
"""Conversations that are held against all others at a time: 256 by 20,000 similarities are 20 MB."""


class Nearest(NamedTuple):
    """The place of the nearest conversation in its list, and the cosine of the angle between both, 0 to 1."""

    place: int
    similarity: float


def nearest(of: Sequence[Conversation], among: Sequence[Conversation]) -> list[Nearest | None]:
    """Find for each conversation the nearest of the other side, within its task where the other side has that.

    The users' words, weighted by tf-idf over both sides, are compared by the cosine; of several that are as near, it is
    the first.

    Returns:
        One each; None where no word is shared.

    Source:
        Salton and Buckley (1988), Term-weighting approaches in automatic text retrieval; scikit-learn's weighting, with
        the logarithm of how often a word is said.
    """
    found: list[Nearest | None] = [None] * len(of)
    texts = _texts([*of, *among])
    if not of or not among or not any(texts):
        return found
    vectors = _vectors(texts)
    if vectors is None:
        return found
    left, right = vectors[: len(of)], vectors[len(of) :]
    everyone = np.arange(len(among))
    by_task: dict[str, list[int]] = {}
    for place, conversation in enumerate(among):
        by_task.setdefault(conversation.task or "", []).append(place)
    groups: dict[str | None, list[int]] = {}
    for place, conversation in enumerate(of):
        task = conversation.task
        groups.setdefault(task if task and task in by_task else None, []).append(place)
    for task, places in groups.items():
        candidates = everyone if task is None else np.array(by_task[task])
        others = right[candidates].T.tocsc()
        for start in range(0, len(places), BATCH):
            some = places[start : start + BATCH]
            cosines = (left[some] @ others).toarray()
            best = cosines.argmax(axis=1)
            for row, place in enumerate(some):
                if (cosine := float(cosines[row, best[row]])) > 0:
                    found[place] = Nearest(int(candidates[best[row]]), min(1.0, cosine))
    return found


def _texts(conversations: Sequence[Conversation]) -> list[str]:
    limit = min(MAX_CHARACTERS, MAX_ALL_CHARACTERS // max(1, len(conversations)))
    return [" ".join(m.content[:limit] for m in c.user_messages)[:limit] for c in conversations]


def _vectors(texts: Sequence[str]) -> csr_matrix | None:
    """Return a row of unit length a text; None where nobody says a word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        sublinear_tf=True, token_pattern=r"\b\w+\b", max_features=MAX_WORDS, dtype=np.float32
    )
    try:
        vectors: csr_matrix = vectorizer.fit_transform(texts).tocsr()
    except ValueError:  # scikit-learn's word for "nobody says a word"
        return None
    return vectors
