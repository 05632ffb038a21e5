"""What a classifier looks at: units of text as rows of TF-IDF and plain numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from convsim.schema.conversation import Conversation, Message
from convsim.text.words import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    FloatArray = npt.NDArray[np.float64]

Level = Literal["message", "conversation"]
MAX_CHARACTERS = 20_000
"""Of each side's text, so that no message costs more than others do by thousands of times."""

N_NUMBERS = 9
"""Numbers of a unit beside its texts, at either level."""


class Unit(NamedTuple):
    """One thing to label: what the user said, what the agent said just before (a message), and numbers from 0 to 1."""

    said: str
    heard: str
    numbers: tuple[float, ...]


def message_units(conversation: Conversation) -> Iterator[tuple[int, Unit]]:
    """Yield each user message's index among all messages and its unit, made of nothing that comes later."""
    known: set[str] = set()
    heard: list[Message] = []
    spoken = 0
    for index, message in enumerate(conversation.messages):
        if message.role == "assistant":
            heard.append(message)
        elif message.role == "user":
            said = words(message.content[:MAX_CHARACTERS])
            agent = _joined(heard)
            numbers = (
                _log_share(len(said), 150),
                _log_share(spoken, 20),
                float(spoken == 0),
                float(not said),
                _share(sum(word in known for word in said), len(said)),
                float("?" in message.content),
                float(not heard),
                float("?" in agent),
                float(any(reply.items for reply in heard)),
            )
            yield index, Unit(_clean(message.content), agent, numbers)
            known.update(said)
            heard = []
            spoken += 1


def conversation_unit(conversation: Conversation) -> Unit:
    """Return the unit of a whole conversation: the user's words, and how many and how repetitive they are.

    The agent's words are left out, though they often tell more: a label made of them says what a user was shown, not
    how the user took it, and any two kinds of user who meet one agent would look alike by it. How the conversation
    ended is left out too: people's logs seldom say, and a label may not depend on which log it stands in.
    """
    messages = [message.content for message in conversation.user_messages]
    lengths = [len(words(message[:MAX_CHARACTERS])) for message in messages] or [0]
    said = _joined(conversation.user_messages)
    user_words = words(said)
    numbers = (
        _log_share(len(messages), 20),
        _log_share(len(user_words) / max(1, len(messages)), 150),
        _log_share(lengths[0], 150),
        _log_share(lengths[-1], 150),
        _share(len(user_words) - len(set(user_words)), len(user_words)),
        _share(len(messages) - len(set(messages)), len(messages)),
        _share(sum("?" in message for message in messages), len(messages)),
        _share(sum(not length for length in lengths), len(lengths)),
        float("?" in messages[-1]) if messages else 0.0,
    )
    return Unit(said, "", numbers)


def _joined(messages: Sequence[Message]) -> str:
    return _clean("\n".join(message.content for message in messages))


def _clean(text: str) -> str:
    """Return at most 20,000 characters in lower case; half a surrogate pair, which no file can hold, becomes ``?``."""
    writable = text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    return " ".join(writable.lower().replace("’", "'").split())


def _log_share(count: float, most: int) -> float:
    return min(1.0, math.log1p(count) / math.log1p(most))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


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
