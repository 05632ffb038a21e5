"""In what two distributions differ: where they lie, how far they spread, or in their shape alone."""

from __future__ import annotations

import numpy as np

from convsim.schema.arrays import FloatArray
from convsim_validators.metric_tests.column import mean, spread

SMALL_DELTA = 0.147
"""The upper end of a "negligible" Cliff's delta (Romano et al. 2006)."""
WIDER = 1.25
"""A ratio of standard deviations from which spreads are called different."""


def contrast(real: FloatArray, simulated: FloatArray, delta: float) -> str:
    """Say in which moment two samples differ, and in what proportion of them where they differ most.

    Args:
        real: People's values, at least one.
        simulated: The simulator's, at least one.
        delta: Cliff's delta, above 0 where simulated values are larger.
    """
    return f"{_moment(real, simulated, delta)}; {_furthest(real, simulated)}"


def _moment(real: FloatArray, simulated: FloatArray, delta: float) -> str:
    means = f"means: {_number(mean(real))} real, {_number(mean(simulated))} simulated"
    if abs(delta) > SMALL_DELTA:
        return f"simulated values are {'larger' if delta > 0 else 'smaller'} ({means})"
    of_people, of_simulated = spread(real), spread(simulated)
    if of_people is None or of_simulated is None:
        return f"neither side's values are larger ({means})"
    if (of_people == 0) != (of_simulated == 0):
        constant = "people" if of_people == 0 else "the simulator"
        return f"neither side's values are larger ({means}), but those of {constant} do not vary at all"
    ratio = of_simulated / of_people if of_people else 1.0
    if not 1 / WIDER < ratio < WIDER:
        wider, times = ("wider", ratio) if ratio > 1 else ("narrower", 1 / ratio)
        return f"neither side's values are larger ({means}), but the simulator's spread is {times:.2g} times {wider}"
    return f"neither side's values are larger ({means}) or spread wider, but the shapes differ"


def _number(value: float | None) -> str:
    """Write a number to three figures."""
    return "too large" if value is None else f"{value:.3g}"


def _furthest(real: FloatArray, simulated: FloatArray) -> str:
    """Say where the distribution functions lie furthest apart."""
    points = np.unique(np.concatenate([real, simulated]))
    below = [np.searchsorted(np.sort(side), points, side="right") / len(side) for side in (real, simulated)]
    at = int(np.abs(below[0] - below[1]).argmax())
    return f"{below[1][at]:.0%} of simulated and {below[0][at]:.0%} of real conversations have at most {points[at]:.3g}"
