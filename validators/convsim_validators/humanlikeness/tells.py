"""What gave the simulator away: the features that speak most strongly for either side, with counts."""

from __future__ import annotations

import numpy as np
from pydantic import JsonValue

from convsim.stats.discriminator import BoolArray, equal_prior
from convsim_validators.humanlikeness.features import View, logistic_regression

N_TELLS = 10
MAX_CHARACTERS = 80


def tells(view: View, is_human: BoolArray) -> JsonValue:
    """List the features by how far, on average, they move a conversation of a side towards that side.

    A feature's pull is its coefficient times the difference of its mean values on the two sides, in log-odds, so
    that a rare curiosity does not stand above a common habit. Counts are conversations that have the feature.

    Args:
        view: Features of both sides.
        is_human: Shape (rows,).

    Returns:
        ``{"simulated": [...], "human": [...]}``, each entry ``{feature, pull, n_real, n_simulated}``.
    """
    if not len(view.names):
        return {"simulated": [], "human": []}
    model = logistic_regression()
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
