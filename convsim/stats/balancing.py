"""Weights of groups whose mixture comes as near to a target as is worth leaving the weights that they have."""

from __future__ import annotations

import numpy as np

from convsim.schema.arrays import FloatArray

MAX_STEPS = 200
TOLERANCE = 1e-14
"""Of what another step would gain, on the scale of squared gaps."""
SMALLEST_STEP = 1e-6
ARMIJO = 1e-4


def balanced(gaps: FloatArray, base: FloatArray, *, strength: float) -> FloatArray:
    """Which weights of groups bring their mixture near to a target, and stay near to the weights that they have?

    Minimises ``|gaps @ w|² + strength * KL(w, base)`` over weights that are at least 0 and add up to 1. The first term
    is the squared distance of the mixture from the target, the second the Kullback-Leibler divergence of the weights:
    the larger ``strength``, the less they move. As it goes to 0 where the target can be met exactly, these are the
    weights of entropy balancing. With few people it cannot and should not be met: what is paid for divergence is what
    keeps the weights from following chance.

    Args:
        gaps: Shape (features, groups): the mean of each feature in each group less the target's.
        base: Shape (groups,): above 0, adding up to 1.
        strength: Above 0; infinity returns ``base``.

    Returns:
        Shape (groups,): the minimum is unique.

    Raises:
        ValueError: A strength that is not above 0, or weights that are not.

    Source:
        Hainmueller (2012), Entropy balancing for causal effects, Political Analysis 20, equations 2 to 8: there with
        exact constraints; calibration with a distance and a penalty in place of exact constraints is Deville and
        Särndal (1992), Calibration estimators in survey sampling, case 2 (raking), and Guggemos and Tillé (2010).
        Solved by Newton's method on the dual, which is concave and has as many variables as there are features:
        checked against a direct minimisation in tests/reference.
    """
    if not strength > 0 or not (base > 0).all():
        raise ValueError(f"strength and base weights must be above 0, but are {strength} and {base}")
    if np.isinf(strength):
        return np.asarray(base / base.sum())
    # As |u|² is the maximum of l'u - |l|²/4 over l, the minimum is the maximum of ``_dual``, where l = 2 gaps @ w.
    dual = np.zeros(len(gaps))
    value, weights = _dual(dual, gaps, base, strength)
    for _ in range(MAX_STEPS):
        reached = gaps @ weights
        gradient = reached - dual / 2
        spread = (gaps * weights) @ gaps.T - np.outer(reached, reached)
        step = np.linalg.solve(spread / strength + np.eye(len(gaps)) / 2, gradient)
        slope, size = float(gradient @ step), 1.0
        if slope < TOLERANCE:
            break
        while True:
            found, weights = _dual(dual + size * step, gaps, base, strength)
            if found >= value + ARMIJO * size * slope or size < SMALLEST_STEP:
                break
            size /= 2
        dual, value = dual + size * step, found
    return weights


def _dual(dual: FloatArray, gaps: FloatArray, base: FloatArray, strength: float) -> tuple[float, FloatArray]:
    """Return the dual function and the weights at which it is reached."""
    exponents = np.log(base) - dual @ gaps / strength
    largest = float(exponents.max())
    scaled = np.exp(exponents - largest)
    total = float(scaled.sum())
    return -float(dual @ dual) / 4 - strength * (largest + np.log(total)), scaled / total


def effective_size(weights: FloatArray) -> float:
    """How many equally weighted values are as good as these?

    Source:
        Kish (1965), Survey sampling, section 11.7: (sum w)² / sum w².
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0
