"""P-values of permutation tests, and their correction for the number of questions asked."""

from __future__ import annotations

from convsim.schema.arrays import FloatArray


def permutation_p_value(observed: float, under_null: FloatArray) -> float:
    """Return (c + 1) / (m + 1), c the permutations at least as extreme (Phipson and Smyth 2010)."""
    at_least = int((under_null >= observed - 1e-9).sum())
    return (at_least + 1) / (len(under_null) + 1)


def benjamini_hochberg(p_values: dict[str, float]) -> dict[str, float]:
    """Adjust one validator's p-values for its number of metrics (Benjamini and Hochberg 1995)."""
    from scipy.stats import false_discovery_control

    if not p_values:
        return {}
    adjusted = false_discovery_control(list(p_values.values()), method="bh")
    return dict(zip(p_values, map(float, adjusted), strict=True))
