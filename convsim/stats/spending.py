"""The error rate of each of several looks at data that grow, so that all looks together keep to one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from convsim.stats.decision import ALPHA

if TYPE_CHECKING:
    from convsim.schema.arrays import FloatArray

N_QUESTIONS = 200
"""Looks are taken to hang together as little as those at the largest of so many independent questions."""
N_POINTS = 400
"""Of the numerical integral over what was not decided at the looks before."""
LEAST = 1e-12
"""Less is not spent on a first look."""
LOWEST = -8.0
"""Standard errors below which nothing is missed."""


def information(n_real: int, n_simulated: int) -> float:
    """Return what two groups tell of their difference, in conversations: n m / (n + m), at most the smaller group."""
    return n_real * n_simulated / (n_real + n_simulated)


def spent(fraction: float, alpha: float = ALPHA) -> float:
    """Return the error that is spent when ``fraction`` of the information is there: little at first, ``alpha`` at 1.

    Source:
        Lan and DeMets (1983), Discrete sequential boundaries for clinical trials, Biometrika 70, alpha_1*: the spending
        function of O'Brien-Fleming type, 2 - 2 Phi(z / sqrt(t)) with z the point that alpha / 2 lies above.
    """
    from scipy.stats import norm

    return float(2 * norm.sf(norm.isf(alpha / 2) / fraction**0.5))


def error_rates(
    fractions: Sequence[float], *, alpha: float = ALPHA, n_questions: int = N_QUESTIONS
) -> list[float]:
    """At which error rate may each look be judged, so that all together err with probability ``alpha`` at most?

    H0 is that of the test that is made at each look on all data until then, which stops at the first that rejects.
    People are the same at every look and simulated conversations are added, so that the standardised difference of
    means at looks j < k correlates as the root of their fractions' quotient; so does that of any estimate that is a sum
    over units. What it rejects at look k is what is spent since look k - 1, given that nothing was rejected before.

    A test of many questions at once, such as the largest of many differences or the sum of their squares, hangs
    together less from look to look than one difference does, so that its looks err more often together. The rates are
    those of the largest of ``n_questions`` independent differences, one-sided: with one question all looks together err
    in less than ``alpha`` (.038 of .05 in seven looks), with 40 or 300 in as much.

    Args:
        fractions: Of the information at each look, increasing to 1 at the last; fixed before the first.
        alpha: Of all looks together.
        n_questions: See above; 1 gives the boundaries of Lan and DeMets.

    Returns:
        One rate a look: limits of equivalence are one-sided at it, and a p-value of at most it shows a difference.

    Raises:
        ValueError: The fractions do not increase from above 0 to 1, or the first is too small to spend anything.

    Source:
        Lan and DeMets (1983); the integral is that of Armitage, McPherson and Rowe (1969), Repeated significance tests
        on accumulating data. That looks at the largest of many hang together less is ours; tests/calibration.
    """
    import numpy as np
    from scipy.special import ndtr
    from scipy.stats import norm

    times = [0.0, *fractions]
    if not fractions or fractions[-1] != 1 or any(a >= b for a, b in pairwise(times)):
        raise ValueError(f"fractions of information must increase from above 0 to 1, but are {[*fractions]}")
    if spent(fractions[0], alpha) < LEAST:
        raise ValueError(f"at {fractions[0]:g} of the information there is nothing to spend yet")
    each = [1 - (1 - spent(fraction, alpha)) ** (1 / n_questions) for fraction in fractions]
    nodes, steps = np.polynomial.legendre.leggauss(N_POINTS)
    # The process times the root of its fraction has independent increments; where it was left undecided, its density.
    places: FloatArray = np.zeros(1)
    masses: FloatArray = np.ones(1)
    rates = []
    gone = 0.0
    for (before, now), goal in zip(pairwise(times), each, strict=True):
        step, reach = (now - before) ** 0.5, now**0.5
        bound = _bound(places, masses, step=step, left=goal - gone)
        rates.append(float(1 - ndtr(bound / reach) ** n_questions))
        low = LOWEST * reach
        following = low + (bound - low) * (nodes + 1) / 2
        density = masses @ norm.pdf((following[None] - places[:, None]) / step) / step
        places, masses, gone = following, density * steps * (bound - low) / 2, goal
    return rates


def _bound(places: FloatArray, masses: FloatArray, *, step: float, left: float) -> float:
    """Return what a process beyond its ``places`` exceeds with probability ``left`` after a normal ``step``."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    return float(brentq(lambda bound: float(masses @ ndtr((places - bound) / step)) - left, LOWEST, -LOWEST))
