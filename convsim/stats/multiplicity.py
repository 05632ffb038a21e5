"""P-values of permutation tests, and their correction for the number of questions asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from convsim.schema.arrays import FloatArray


def permutation_p_value(observed: float, under_null: FloatArray) -> float:
    """Return (c + 1) / (m + 1), c the permutations at least as extreme (Phipson and Smyth 2010)."""
    at_least = int((under_null >= observed - 1e-9).sum())
    return (at_least + 1) / (len(under_null) + 1)


def max_t(statistics: Mapping[str, FloatArray]) -> dict[str, float]:
    """Adjust the p-values of questions that were all tested on the same permutations, by step-down max-T.

    Each statistic is first put on its own scale, its mean and standard deviation over all permutations, so that a rare
    habit is heard beside a common one. The correction uses how the questions hang together, and its smallest p-value is
    1 / (1 + permutations) at any number of questions.

    Args:
        statistics: By question, shape (1 + permutations,): as observed first; the larger, the further from the null.
            All of one length, column by column of the same permutation.

    Source:
        Westfall and Young (1993), Resampling-based multiple testing, algorithm 2.8 (free step-down, max-T).
    """
    if not statistics:
        return {}
    z = studentised(np.stack([*statistics.values()]))
    order = np.argsort(-z[:, 0], kind="stable")
    largest = np.maximum.accumulate(z[order][::-1], axis=0)[::-1]
    at_least = (largest[:, 1:] >= largest[:, :1] - 1e-9).sum(axis=1)
    p_values = np.maximum.accumulate((at_least + 1) / z.shape[1])
    names = list(statistics)
    return {names[place]: float(p) for place, p in zip(order, p_values, strict=True)}


def studentised(statistics: FloatArray) -> FloatArray:
    """Put statistics on their own scale: mean 0 and standard deviation 1 over all permutations; 0 where none differ.

    Args:
        statistics: Shape (questions, 1 + permutations).
    """
    spread = statistics.std(axis=1, keepdims=True)
    centred = statistics - statistics.mean(axis=1, keepdims=True)
    scaled: FloatArray = np.divide(centred, spread, out=np.zeros(statistics.shape), where=spread > 0)
    return scaled


def across_families(p_values: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Adjust the p-values of several families, each corrected within itself, for the number of families.

    Each of V families is tested at a V-th of the level. A family in which everything is rejected passes its part on to
    the others; one in which only something is rejected does not, since what is left in it may still be rejected
    falsely. In families of one question this is Holm's procedure. However the families hang together, and whatever
    else differs, a question without a difference is rejected with at most the probability of the level.

    Args:
        p_values: By family, those of its questions; empty families are left out.

    Returns:
        Those of the same questions, in the same order.

    Source:
        Holm (1979), A simple sequentially rejective multiple test procedure; Bretz, Maurer, Brannath and Posch (2009),
        A graphical approach to sequentially rejective multiple test procedures (what is passed on, and when).
    """
    families = {name: values for name, values in p_values.items() if values}
    adjusted: dict[str, list[float]] = {}
    steps: list[tuple[float, int]] = []
    passed = 0.0
    for place, name in enumerate(sorted(families, key=lambda name: max(families[name]))):
        steps.append((passed, len(families) - place))
        adjusted[name] = [
            min(1.0, *(max(before, left * p) for before, left in steps)) for p in families[name]
        ]
        passed = max(passed, *adjusted[name])
    return adjusted
