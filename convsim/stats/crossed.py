"""Intervals that reach to other raters and other conversations: both are drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from convsim.schema import Interval
from convsim.seeds import generator

N_RESAMPLES = 999
MIN_RATERS = 3
MIN_TRIALS = 8


class Mark(NamedTuple):
    """One answer as a number, with its rater, its trial and its group."""

    rater: int
    trial: int
    group: int
    value: bool


def crossed_interval(marks: Sequence[Mark], *, seed: int) -> Interval | None:
    """In which interval would the mean of the groups' means lie with other raters and other trials?

    Raters and trials are crossed: each answer belongs to one of both, and both are drawn with replacement, an answer
    counting as often as its rater times as often as its trial. It holds when looked at once, not after each answer.

    Returns:
        The 95 % percentile interval; None under 3 raters or 8 trials, where drawing anew shows no spread.

    Source:
        Owen (2007), The pigeonhole bootstrap: errs to the wide side.
    """
    import numpy as np

    raters, of_rater = np.unique([mark.rater for mark in marks], return_inverse=True)
    trials, of_trial = np.unique([mark.trial for mark in marks], return_inverse=True)
    if len(raters) < MIN_RATERS or len(trials) < MIN_TRIALS:
        return None
    values = np.asarray([mark.value for mark in marks], np.float64)
    groups = np.asarray([mark.group for mark in marks])
    masks = [groups == group for group in np.unique(groups)]
    rng = generator(seed, "arena", "crossed")
    means = []
    for _ in range(N_RESAMPLES):
        rater_weights = np.bincount(rng.integers(0, len(raters), len(raters)), minlength=len(raters))
        trial_weights = np.bincount(rng.integers(0, len(trials), len(trials)), minlength=len(trials))
        weights = (rater_weights[of_rater] * trial_weights[of_trial]).astype(np.float64)
        totals = [weights[mask].sum() for mask in masks]
        if all(totals):
            means.append(
                np.mean([weights[m] @ values[m] / total for m, total in zip(masks, totals, strict=True)])
            )
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
