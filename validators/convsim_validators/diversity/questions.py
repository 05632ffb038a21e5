"""The nine questions that are asked of two crowds, and when one has no answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from convsim.schema.arrays import FloatArray
from convsim.stats.cluster_divergence import divergence
from convsim.stats.crowds import Crowds
from convsim.stats.decision import MIN_UNITS
from convsim.stats.manifolds import K_NEAREST
from convsim.stats.resampling import Weights
from convsim.stats.variety import distinct_share, effective_number, mean_of_pairs, twin_share
from convsim_validators.diversity.measures import Levels, Measure
from convsim_validators.diversity.points import Points


def _of_both(values: FloatArray) -> Levels:
    """Return a number of both crowds as levels."""
    return np.stack([np.zeros_like(values), values])


def _coverage(points: Points, crowds: Crowds) -> Levels:
    assert points.habit_space is not None
    return _of_both(points.habit_space.coverage(crowds, k=K_NEAREST))


def _text_coverage(points: Points, crowds: Crowds) -> Levels:
    assert points.texts.space is not None
    return _of_both(points.texts.space.coverage(crowds, k=K_NEAREST))


def _forward(points: Points, crowds: Crowds) -> Levels:
    return _of_both(divergence(points.cluster_of, points.n_clusters, crowds).forward)


def _backward(points: Points, crowds: Crowds) -> Levels:
    return _of_both(divergence(points.cluster_of, points.n_clusters, crowds).backward)


def _openings(points: Points, crowds: Crowds) -> Levels:
    return _of_each(crowds, lambda side, size: distinct_share(points.opening_of, side, size))


def _effective_number(points: Points, crowds: Crowds) -> Levels:
    similarity, size = points.texts.squared_similarity, min(points.n_units)
    return _of_each(crowds, lambda side, _: effective_number(similarity, side, size))


def _habit_spread(points: Points, crowds: Crowds) -> Levels:
    assert points.habit_space is not None
    distance = points.habit_space.distance
    return _of_each(crowds, lambda side, _: mean_of_pairs(distance, side))


def _near_duplicates(points: Points, crowds: Crowds) -> Levels:
    return _of_each(crowds, lambda side, size: twin_share(points.texts.twins, side, size))


def _persona_icc(points: Points, crowds: Crowds) -> Levels:
    return _of_each(crowds, lambda side, __: points.repeated.correlation(side))


def _of_each(crowds: Crowds, read: Callable[[Weights, int], FloatArray]) -> Levels:
    """Read each crowd, cut down to the size of the smaller one."""
    size = min(crowds.n)
    return np.stack([read(crowds.people, size), read(crowds.simulated, size)])


MIN_TO_COVER = 2 * (K_NEAREST + 1)
"""People whose halves have enough nearest neighbours; half as many simulated units do."""


def unmeasurable(measure: Measure, points: Points) -> str | None:
    """Say why a measure has no value here, or could not have differed, and what would mend that; None if it has one."""
    n_real, n_simulated = points.n_units
    of_habits = measure.name in ("coverage", "forward_kl", "backward_kl", "habit_spread")
    if measure.kind == "across" and (n_real < MIN_TO_COVER or 2 * n_simulated < MIN_TO_COVER):
        return (
            f"{n_real} real and {n_simulated} simulated users; at least {MIN_TO_COVER} and {MIN_TO_COVER // 2} are "
            "needed to hold them against two groups of people"
        )
    if of_habits and points.habit_space is None:
        return "no habit was measured that varies; name metrics that do with --metrics"
    if (
        measure.name in ("text_coverage", "effective_number", "near_duplicates")
        and points.texts.space is None
    ):
        return "all users say the same words, or none; texts that differ are needed"
    if measure.name == "openings" and not np.ptp(points.opening_of):
        return "all first messages are the same, or empty; first messages that differ are needed"
    if measure.name != "persona_icc":
        return None
    several = [points.repeated.units(side) for side in (points.units.is_real, ~points.units.is_real)]
    if min(several) >= MIN_UNITS:
        return None
    return (
        f"{several[0]} real and {several[1]} simulated users or personas have two conversations or more in which a "
        f"habit is known; at least {MIN_UNITS} on each side are needed"
    )


def _root_of_uncovered(less: FloatArray) -> FloatArray:
    """Return the root of the proportion uncovered, a count of few; ``less`` is less than none by the coverage."""
    return np.asarray(np.sqrt((1 + less).clip(min=0)))


def _log_of_lacking(lacking: FloatArray) -> FloatArray:
    """Return how many times less it is, as a logarithm; ``lacking`` is a proportion of people's."""
    return -np.log1p(-lacking)


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="coverage",
        question="Does the crowd of simulated shoppers cover the habits that people have?",
        unit="proportion of people",
        kind="across",
        worse="less",
        margin="coverage_margin",
        read=_coverage,
        evened=_root_of_uncovered,
        counts=True,
    ),
    Measure(
        name="text_coverage",
        question="Does the crowd of simulated shoppers cover what people say?",
        unit="proportion of people",
        kind="across",
        worse="less",
        margin="coverage_margin",
        read=_text_coverage,
        evened=_root_of_uncovered,
        counts=True,
    ),
    Measure(
        name="forward_kl",
        question="Are there kinds of behaviour that people have and simulated shoppers lack?",
        unit="nats",
        kind="across",
        worse="more",
        margin="divergence_margin",
        read=_forward,
        evened=np.cbrt,
    ),
    Measure(
        name="backward_kl",
        question="Are there kinds of behaviour that simulated shoppers have and people lack?",
        unit="nats",
        kind="across",
        worse="more",
        margin="divergence_margin",
        read=_backward,
        evened=np.cbrt,
    ),
    Measure(
        name="habit_spread",
        question="Do simulated shoppers' habits lie as far apart as people's?",
        unit="proportion of people's distance",
        kind="within",
        worse="less",
        margin="spread_margin",
        read=_habit_spread,
        relative=True,
    ),
    Measure(
        name="openings",
        question="Do simulated shoppers begin in as many ways as people?",
        unit="proportion of first messages",
        kind="within",
        worse="less",
        margin="openings_margin",
        read=_openings,
        counts=True,
    ),
    Measure(
        name="effective_number",
        question="Of how many different people is the crowd of simulated shoppers worth?",
        unit="proportion of people's number",
        kind="within",
        worse="less",
        margin="effective_margin",
        read=_effective_number,
        evened=_log_of_lacking,
        relative=True,
    ),
    Measure(
        name="near_duplicates",
        question="Do simulated conversations nearly repeat one another more than people's?",
        unit="proportion of conversations",
        kind="within",
        worse="more",
        margin="duplicates_margin",
        read=_near_duplicates,
        counts=True,
    ),
    Measure(
        name="persona_icc",
        question="Do simulated shoppers stay themselves, from one conversation to the next, as people do?",
        unit="intraclass correlation",
        kind="within",
        worse="other",
        margin="icc_margin",
        read=_persona_icc,
    ),
)
