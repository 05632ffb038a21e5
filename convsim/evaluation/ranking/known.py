"""One simulator's outcomes beside an order of systems that is known, such as a ladder of faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from convsim.evaluation.ranking.against_people import TWO, pair_of_known_order
from convsim.evaluation.ranking.levels import named_pairs, system_levels
from convsim.evaluation.ranking.numbers import LEVEL, N_RESAMPLES
from convsim.evaluation.ranking.outcomes import Outcome
from convsim.evaluation.ranking.record import KnownOrder, RankedNumber, SimulatorRanking
from convsim.evaluation.ranking.verdict import ALPHA_OF_EACH, Evidence, judge_known_order
from convsim.evaluation.scorecard import SideSummary
from convsim.schema.arrays import FloatArray
from convsim.seeds import generator
from convsim.stats.group_levels import GroupLevels
from convsim.stats.kept_order import KeptOrder, Signs
from convsim.stats.ordered_trend import OrderedTrend
from convsim.stats.resampling import draw_units
from convsim.stats.slopes import expanded_percentiles

NO_PEOPLE = "the order is known, and no people are asked"
ONE_LEVEL = "all systems have the same level"


def ranked_by_known_order(
    systems: Sequence[str],
    simulated: Outcome,
    *,
    name: str,
    side: SideSummary,
    seed: int,
    warnings: Sequence[str],
) -> SimulatorRanking:
    """Hold a simulator's outcomes against an order that is known.

    Args:
        systems: The best first, each met by enough users.
        simulated: The outcomes with these systems.
        name: What the simulator is called.
        side: Its conversations.
        seed: Moves every draw.
        warnings: What a reader has to know of the side.
    """
    levels = simulated.levels(systems)
    shown = levels.drawn(np.ones((simulated.n_units, 1)))
    pairs = named_pairs(systems)
    told: Signs = np.ones((1, len(pairs)), np.int8)
    order = KeptOrder.of(told, shown)
    # Groups stand from the best to the worst: outcomes that get worse fall with the place.
    trend = OrderedTrend.of(levels, generator(seed, "ranking", "trend"))
    known = KnownOrder(order=tuple(systems), p_falling=trend.p_falling, p_rising=trend.p_rising)
    evidence = Evidence(order, pairs, None, None, None, 1.0, len(simulated.values))
    judged = judge_known_order(
        evidence,
        p_falling=known.p_falling,
        p_rising=known.p_rising,
        levels=[float(m) for m in shown.means[0]],
    )
    reversed_ = order.p_reversed[0] <= ALPHA_OF_EACH
    return SimulatorRanking(
        name=name,
        side=side,
        verdict=judged.verdict,
        reason=judged.reason,
        needs=judged.needs,
        systems=system_levels(systems, None, (simulated, shown)),
        pairs=tuple(
            pair_of_known_order(order, place, names, is_reversed=bool(reversed_[place]))
            for place, names in enumerate(pairs)
        ),
        known_order=known,
        warnings=tuple(warnings),
        **_numbers(levels, told, seed=seed),
        **{
            name: RankedNumber(reason=NO_PEOPLE)
            for name in ("level_error", "calibration_error", "bias", "failure_mix")
        },
    )


def _numbers(levels: GroupLevels, told: Signs, *, seed: int) -> Mapping[str, RankedNumber]:
    n_units = len(levels.counts)
    weights = draw_units(n_units, N_RESAMPLES, generator(seed, "ranking", "simulated"))
    together = np.column_stack([np.ones(n_units), weights]).astype(np.float64)
    drawn = KeptOrder.of(np.repeat(told, N_RESAMPLES + 1, axis=0), levels.drawn(together)).numbers()
    why = TWO if levels.counts.shape[1] == 2 else ONE_LEVEL
    return {name: _number(values, int(levels.n_units.min()), why) for name, values in drawn.items()}


def _number(values: FloatArray, n_units: int, undefined: str) -> RankedNumber:
    if np.isnan(values[0]):
        return RankedNumber(reason=undefined)
    limits = expanded_percentiles(values[1:], n_units, level=LEVEL)
    estimate = float(values[0])
    held = limits and (min(limits[0], estimate), max(limits[1], estimate))
    return RankedNumber(estimate=estimate, interval=held)
