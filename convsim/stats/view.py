"""What a classifier may look at: named features of both sides' conversations, and which of them give a side away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import JsonValue

from convsim.schema.arrays import BoolArray, IntArray
from convsim.stats.discriminator import Classifier, equal_prior
from convsim.stats.two_sample import Compared

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from convsim.stats.discriminator import Features

N_TELLS = 10
MAX_CHARACTERS = 80


@dataclass(frozen=True)
class View:
    """Features of both sides' conversations, humans first, and the name of each column."""

    features: Features
    names: Sequence[str]
    counted: Features
    """Whether a conversation has the feature at all, 0 or 1, for counting beside the tells."""
    compared: Sequence[tuple[Compared, Sequence[str]]]
    """What the two-sample test compares, with the names of its columns."""
    kept: BoolArray
    """Shape (rows of both sides,): which conversations the view could be made of."""
    n_dropped: tuple[int, int]
    detail: dict[str, int]


def logistic_regression() -> Classifier:
    """Make an unfitted discriminator; the ridge penalty is scikit-learn's default."""
    from sklearn.linear_model import LogisticRegression

    classifier: Classifier = LogisticRegression(max_iter=200)
    return classifier


def groups_with(counts: csr_matrix, group: IntArray) -> IntArray:
    """Count by column the groups of which a row has it; shape (columns,)."""
    from scipy.sparse import csr_matrix

    number = np.unique(group, return_inverse=True)[1]
    members = csr_matrix((np.ones(len(number), np.float32), (number, np.arange(len(number)))))
    return np.asarray(((members @ counts) > 0).sum(axis=0), np.int64).ravel()


def in_several_groups(counts: csr_matrix, group: IntArray) -> IntArray:
    """Find the columns that stand in two groups or more.

    A unit of several conversations would else keep words of its own that one of a single conversation loses: held out,
    the group would be known by how few it has, and dealings that mix such units would differ from the sides.
    """
    return np.flatnonzero(groups_with(counts, group) >= min(2, len(np.unique(group))))


def tells(view: View, is_human: BoolArray, make: Callable[[], Classifier] = logistic_regression) -> JsonValue:
    """List the features by how far, on average, they move a conversation of a side towards that side.

    A feature's pull is its coefficient times the difference of its mean values on the two sides, in log-odds, so
    that a rare curiosity does not stand above a common habit. Counts are conversations that have the feature.

    Args:
        view: Features of both sides.
        is_human: Shape (rows,).
        make: Makes the linear model.

    Returns:
        ``{"simulated": [...], "human": [...]}``, each entry ``{feature, pull, n_real, n_simulated}``.
    """
    if not len(view.names) or is_human.all() or not is_human.any():
        return {"simulated": [], "human": []}
    model = make()
    model.fit(view.features, is_human, sample_weight=equal_prior(is_human))
    coefficients = np.asarray(model.coef_, np.float64).ravel()  # type: ignore[attr-defined]
    means = [
        np.asarray(view.features[side].mean(axis=0), np.float64).ravel() for side in (is_human, ~is_human)
    ]
    counts = [np.asarray(view.counted[side].sum(axis=0), np.int64).ravel() for side in (is_human, ~is_human)]
    pull = coefficients * (means[0] - means[1])
    listed: dict[str, JsonValue] = {}
    for side, speaks_for in (("simulated", coefficients < 0), ("human", coefficients > 0)):
        ranked = np.argsort(-np.where(speaks_for, pull, -np.inf), kind="stable")[:N_TELLS]
        listed[side] = [
            {
                "feature": view.names[i][:MAX_CHARACTERS],
                "pull": float(pull[i]),
                "n_real": int(counts[0][i]),
                "n_simulated": int(counts[1][i]),
            }
            for i in ranked
            if speaks_for[i] and pull[i] > 0
        ]
    return listed
