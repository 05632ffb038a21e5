"""What does one crowd do that the other does not? Divergence of the shares of clusters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from convsim.schema.arrays import FloatArray, IntArray
from convsim.stats.crowds import Crowds
from convsim.stats.resampling import Weights

UNITS_A_CLUSTER = 20
"""Of both sides together: so many units make one cluster."""
MIN_CLUSTERS, MAX_CLUSTERS = 4, 30
RESTARTS = 5


class Divergence(NamedTuple):
    """Kullback-Leibler divergences of the crowds' shares of clusters, in nats; each of shape (draws,)."""

    forward: FloatArray
    """Large where people are often what simulated units hardly ever are."""
    backward: FloatArray
    """Large where simulated units are often what people hardly ever are."""


def number_of_clusters(n_units: int) -> int:
    """Return how many clusters are looked for among so many units of both sides."""
    return max(MIN_CLUSTERS, min(MAX_CLUSTERS, n_units // UNITS_A_CLUSTER))


def clusters(points: FloatArray, n_clusters: int, *, seed: int) -> IntArray:
    """Return the cluster of each point by k-means, which knows of no side; shape (points,).

    Args:
        points: Shape (points, columns).
        n_clusters: At most; fewer where fewer points are distinct.
        seed: Places the first centres.
    """
    from sklearn.cluster import KMeans

    n_clusters = min(n_clusters, len(np.unique(points, axis=0)))
    model = KMeans(n_clusters, n_init=RESTARTS, random_state=seed)
    return np.asarray(model.fit_predict(points), np.int64)


def shares(cluster_of: IntArray, n_clusters: int, side: Weights) -> FloatArray:
    """Return each cluster's share of a side in each draw; shape (clusters, draws).

    Args:
        cluster_of: Shape (units,).
        n_clusters: How many there are.
        side: Shape (units, draws): 1 where a unit belongs to the side.
    """
    inside = (cluster_of[None, :] == np.arange(n_clusters)[:, None]).astype(np.float32)
    return np.asarray(inside @ side / side.sum(axis=0), np.float64)


def divergence(cluster_of: IntArray, n_clusters: int, crowds: Crowds) -> Divergence:
    """Are there clusters of behaviour that one crowd has and the other lacks?

    Counts are smoothed by 1 / k a cluster. Both numbers are above 0 at equality, the more so the fewer units there are:
    they are to be held against two groups of the same sizes.

    Args:
        cluster_of: Shape (units,): found without regard to sides.
        n_clusters: How many there are.
        crowds: Who belongs to which side.

    Source:
        Mehri et al. (2026), Distributional gap between real and simulated user behaviors, arXiv 2605.07847, which
        smooths in this way; on habits in place of a language model's descriptions, and k by the number of units.
    """
    p, q = (
        (shares(cluster_of, n_clusters, side) * n + 1 / n_clusters) / (n + 1)
        for side, n in zip((crowds.people, crowds.simulated), crowds.n, strict=True)
    )
    ratio = np.log(p / q)
    return Divergence((p * ratio).sum(axis=0), -(q * ratio).sum(axis=0))
