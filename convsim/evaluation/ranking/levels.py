"""The level of each system on a side, and the difference of each pair, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from convsim.evaluation.ranking.outcomes import Outcome
from convsim.evaluation.ranking.record import Level, SystemLevels
from convsim.schema import Estimate
from convsim.stats.proportions import proportion

if TYPE_CHECKING:
    from convsim.schema import Interval
    from convsim.stats.group_levels import DrawnLevels


def system_levels(
    systems: Sequence[str],
    people: tuple[Outcome, DrawnLevels] | None,
    simulated: tuple[Outcome, DrawnLevels],
) -> tuple[SystemLevels, ...]:
    """Return the levels of each system in the outcome's own unit, the best first: by people where they are asked."""
    levels = (people or simulated)[1].means[0]
    order = np.argsort(-levels, kind="stable") if people else np.arange(len(systems))
    return tuple(
        SystemLevels(
            name=systems[place],
            people=_level(place, systems[place], *people) if people else None,
            simulated=_level(place, systems[place], *simulated),
        )
        for place in map(int, order)
    )


def _level(place: int, system: str, outcome: Outcome, drawn: DrawnLevels) -> Level:
    rows = [row for row, name in enumerate(outcome.systems) if name == system]
    values, units = np.abs(outcome.values[rows]), [int(unit) for unit in outcome.unit_of[rows]]
    mean = outcome.sign * float(drawn.means[0, place])
    if outcome.two_valued:
        interval = proportion(
            [value == 1 for value in values], units, unit="conversations", undefined=""
        ).interval
    else:
        error = float(np.sqrt(drawn.covariance[0, place, place]))
        interval = _around(mean, error, float(drawn.n_units[0, place]) - 1)
    return Level(estimate=mean, interval=interval, n=len(rows), n_units=len(set(units)))


def difference(drawn: DrawnLevels, pair: int, sign: int) -> Estimate:
    """Return by how much the first system of a pair is better (``sign`` 1), or the second (-1), with its interval."""
    value = sign * float(drawn.differences[0, pair])
    return Estimate(
        estimate=value + 0.0,
        interval=_around(value, float(drawn.errors[0, pair]), float(drawn.freedom[0, pair])),
    )


def _around(value: float, error: float, freedom: float) -> Interval | None:
    """Return the 95 % interval of a mean by Student's t; None where nothing varies."""
    from scipy.special import stdtrit

    if not error > 0 or freedom < 1:
        return None
    half = float(stdtrit(freedom, 0.975)) * error
    return value - half, value + half


def named_pairs(systems: Sequence[str]) -> list[tuple[str, str]]:
    """Return the systems of each pair, in the order of ``pairs_of``."""
    return [*combinations(systems, 2)]
