"""Boosted trees as plain arrays: fitted by scikit-learn, asked by NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.shoppers.policies.logistic import expit, folds_of, gain_of

if TYPE_CHECKING:
    from numpy.random import Generator

MOST_TREES = 100
MANY = 50_000
"""Points from which on several threads may be worth while."""
LEAF = -1
"""Stands for the feature of a node that asks nothing."""


@dataclass(frozen=True)
class Trees:
    """Log odds that are a constant plus the value of the leaf that each tree leads to.

    Nodes of all trees stand in one list; whoever is asked about goes to ``left`` where the feature is at most the
    threshold, or is missing and ``missing_left`` is 1, and to ``right`` otherwise. Children stand behind their parent.
    """

    feature: IntArray
    """Shape (nodes,): place of a feature; ``LEAF`` of a leaf."""
    threshold: FloatArray
    missing_left: IntArray
    left: IntArray
    right: IntArray
    value: FloatArray
    roots: IntArray
    """Shape (trees,): the first node of each."""
    intercept: float

    def probability(self, features: FloatArray) -> FloatArray:
        """Return the probability at each point, shape (points,); NaN is a missing feature."""
        n_points = len(features)
        log_odds = np.full(n_points, self.intercept)
        rows = np.arange(n_points)
        for root in self.roots:
            node = np.full(n_points, root, np.int64)
            while (inner := self.feature[node] != LEAF).any():
                at, here = rows[inner], node[inner]
                seen = features[at, self.feature[here]]
                goes_left = np.where(
                    np.isnan(seen), self.missing_left[here] == 1, seen <= self.threshold[here]
                )
                node[inner] = np.where(goes_left, self.left[here], self.right[here])
            log_odds += self.value[node]
        return expit(log_odds)

    @classmethod
    def exported(cls, model: Any) -> Trees:
        """Take the trees out of a fitted ``HistGradientBoostingClassifier`` of two classes."""
        nodes = [tree.nodes for (tree,) in model._predictors]
        sizes = [len(each) for each in nodes]
        roots = np.cumsum([0, *sizes])[:-1]
        offset = np.repeat(roots, sizes)
        every = np.concatenate(nodes)
        leaf = every["is_leaf"].astype(bool)
        return cls(
            feature=np.where(leaf, LEAF, every["feature_idx"]).astype(np.int64),
            threshold=np.where(leaf, 0.0, every["num_threshold"]).astype(np.float64),
            missing_left=np.where(leaf, 0, every["missing_go_to_left"]).astype(np.int64),
            left=np.where(leaf, 0, every["left"] + offset).astype(np.int64),
            right=np.where(leaf, 0, every["right"] + offset).astype(np.int64),
            value=every["value"].astype(np.float64),
            roots=np.asarray(roots, np.int64),
            intercept=float(np.ravel(model._baseline_prediction)[0]),
        )


def fit_trees(
    features: FloatArray,
    happened: BoolArray,
    units: IntArray,
    rng: Generator,
    *,
    signs: Mapping[int, int] | None = None,
) -> tuple[Trees, FloatArray]:
    """Fit as many trees as forecast users best who were left out; arguments and result as of ``fit_logistic``.

    Source:
        Friedman (2001), Greedy function approximation: a gradient boosting machine, Annals of Statistics 29;
        ``HistGradientBoostingClassifier`` of scikit-learn.
    """
    constraints = [int((signs or {}).get(column, 0)) for column in range(features.shape[1])]
    gains = np.zeros((MOST_TREES, len(happened)))
    for out in folds_of(units, rng):
        if len(np.unique(happened[~out])) < 2:
            continue
        model = _fitted(features[~out], happened[~out], constraints, MOST_TREES)
        with _threads(len(features)):
            for place, told in enumerate(model.staged_predict_proba(features[out])):
                gains[place, out] = gain_of(told[:, 1], happened, out)
    best = int(gains.sum(axis=1).argmax())
    return Trees.exported(_fitted(features, happened, constraints, best + 1)), gains[best]


def _threads(n_points: int) -> AbstractContextManager[object]:
    """Keep scikit-learn to one thread where there is little to do: several wait for one another, busily."""
    from threadpoolctl import threadpool_limits

    return nullcontext() if n_points >= MANY else threadpool_limits(1, user_api="openmp")


def _fitted(features: FloatArray, happened: BoolArray, constraints: Sequence[int], n_trees: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=n_trees, learning_rate=0.1, max_leaf_nodes=4, min_samples_leaf=20, l2_regularization=1.0,
        early_stopping=False, monotonic_cst=constraints, random_state=0,
    )  # fmt: skip
    with _threads(len(features)):
        return model.fit(features, happened)
