"""Yes-or-no labels as arrays: who said of which message or conversation that it shows what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convsim.metrics.labels import ACTS, acts_of, number_of
from convsim.schema import LabelOrigin
from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.schema.conversation import Conversation, Labels

YES_NO = (0.0, 1.0)
"""The scale of a label that says no or yes."""


@dataclass(frozen=True)
class Marks:
    """What one source said, item by item; an item is a user message or a whole conversation."""

    conversation_of: IntArray
    """Shape (items,): the row of each item's conversation."""
    place: IntArray
    """Shape (items,): which of the conversation's user messages it is; 0 for the whole conversation."""
    said: BoolArray
    """Shape (items, questions)."""

    @classmethod
    def of(cls, conversations: Sequence[Conversation], origin: LabelOrigin, acts: Sequence[str]) -> Marks:
        """Read the labels of ``origin``: one question an act, or one in all for a label of no and yes.

        A label of neither 0 nor 1 is left out.
        """
        rows: list[tuple[int, int]] = []
        said: list[list[bool]] = []
        for row, conversation in enumerate(conversations):
            labelled = [conversation.labels]
            if origin.level == "message":
                labelled = [message.labels for message in conversation.user_messages]
            for place, labels in enumerate(labelled):
                answers = _answers(labels, origin, acts)
                if answers is not None:
                    rows.append((row, place))
                    said.append(answers)
        n_questions = len(acts) if origin.name == ACTS else 1
        places = np.asarray(rows, np.int64).reshape(-1, 2)
        return cls(places[:, 0], places[:, 1], np.asarray(said, bool).reshape(-1, n_questions))

    def shares(self, n: int) -> tuple[FloatArray, FloatArray]:
        """Average over each of the ``n`` conversations' items.

        Returns:
            Shape (n,): 1 where a conversation has items, else 0. Shape (n, questions): the proportion of them that are
            yes, 0 where there are none.
        """
        items = np.bincount(self.conversation_of, minlength=n)
        sums = sums_by(self.conversation_of, self.said.astype(np.float64), n)
        return (items > 0).astype(np.float64), sums / np.maximum(items, 1)[:, None]


def confusion(annotator: Marks, reference: Marks, n: int) -> FloatArray:
    """Cross what both said of the same items; like ``Marks.shares``, each of the ``n`` conversations weighs 1.

    Returns:
        Shape (n, questions, 4): of the items of a conversation that both labelled, the shares that are true positives,
        positives by the reference, true negatives, and negatives by the reference; 0 where there are none.
    """
    longest = max((int(side.place.max()) for side in (annotator, reference) if len(side.place)), default=0)
    key, other = (side.conversation_of * (longest + 1) + side.place for side in (annotator, reference))
    _, mine, theirs = np.intersect1d(key, other, assume_unique=True, return_indices=True)
    said, true = annotator.said[mine], reference.said[theirs]
    rows = annotator.conversation_of[mine]
    crossed = np.stack([said & true, true, ~said & ~true, ~true], axis=-1).astype(np.float64)
    items = np.maximum(np.bincount(rows, minlength=n), 1)
    return sums_by(rows, crossed, n) / items[:, None, None]


def sums_by(owner: IntArray, values: FloatArray, n: int) -> FloatArray:
    """Sum ``values``, shape (rows, …), within each of ``n`` owners; shape (n, …)."""
    from scipy.sparse import csr_matrix

    to_owner = csr_matrix((np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=(n, len(owner)))
    flat = values.reshape(len(values), int(np.prod(values.shape[1:])))
    return np.asarray(to_owner @ flat, np.float64).reshape(n, *values.shape[1:])


def _answers(labels: Labels, origin: LabelOrigin, acts: Sequence[str]) -> list[bool] | None:
    for label in labels.get(origin.name, ()):
        if label.source != origin.source or label.scale != origin.scale:
            continue
        if origin.name == ACTS:
            given = acts_of(label.value)
            return None if given is None else [act in given for act in acts]
        number = number_of(label.value)
        return [number == 1] if number in YES_NO else None
    return None
