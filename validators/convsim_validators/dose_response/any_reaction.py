"""Does anything at all change with severity? One question over all metrics of the shoppers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convsim.stats.decision import ALPHA, MAX_GROWTH, MIN_UNITS, Judgement, grown
from convsim.stats.multiplicity import permutation_p_value
from convsim.stats.severity_levels import BoolArray
from convsim_validators.dose_response.reaction import Reaction
from convsim_validators.dose_response.trend import Trends

MAX_NAMED = 8


@dataclass(frozen=True)
class AnyReaction:
    """The largest of all trends against its permutations."""

    judgement: Judgement
    largest: float | None = None
    p_value: float | None = None
    moving: tuple[str, ...] = ()
    """The metrics that move, strongest first, corrected for their number."""


def any_reaction(reactions: Sequence[Reaction], trends: Trends, joint: BoolArray) -> AnyReaction:
    """Compare the largest |z| with its joint permutations: the same permutation for all metrics.

    H0: nothing that a persona does depends on severity. Rejecting it says that shoppers react, not that they react as
    people do.

    Args:
        reactions: One a metric.
        trends: The same, with the joint permutations.
        joint: Shape (metrics,): the metrics of the question.

    Returns:
        Undecided where no metric can be tested.

    Source:
        Westfall and Young (1993), Resampling-based multiple testing: the single-step largest statistic.
    """
    asked = [i for i, included in enumerate(joint) if included]
    if not asked:
        most = max((r.n_units for r in reactions), default=0)
        reason = f"no metric varies over at least {MIN_UNITS} personas (at most {most} have one): nothing can be tested"
        return AnyReaction(Judgement("undecided", reason, MIN_UNITS if most < MIN_UNITS else None))
    sizes = np.abs(trends.z)
    largest = float(sizes[asked].max())
    p_value = permutation_p_value(largest, trends.largest)
    moving = [
        reactions[i]
        for i in sorted(asked, key=lambda i: -sizes[i])
        if permutation_p_value(float(sizes[i]), trends.largest) <= ALPHA
    ]
    judgement = _judge([reactions[i] for i in asked], moving, p_value, largest, trends)
    return AnyReaction(judgement, largest, p_value, tuple(r.metric.name for r in moving))


def _judge(
    asked: list[Reaction], moving: list[Reaction], p_value: float, largest: float, trends: Trends
) -> Judgement:
    if moving:
        named = ", ".join(f"{r.metric.name} {'rises' if r.z > 0 else 'falls'}" for r in moving[:MAX_NAMED])
        more = f" and {len(moving) - MAX_NAMED} more" if len(moving) > MAX_NAMED else ""
        return Judgement(
            "aligned",
            f"shoppers react (p = {p_value:.3g} over {len(asked)} metrics): {named}{more}; to react is not yet to "
            "react as people do",
        )
    wide = [r for r in asked if not r.inside]
    if not wide:
        return Judgement(
            "does_not_react",
            f"no trend is shown (p = {p_value:.3g} over {len(asked)} metrics), and every slope lies inside its margin",
        )
    reason = (
        f"no trend is shown (p = {p_value:.3g} over {len(asked)} metrics), but {len(wide)} slopes may lie beyond their "
        f"margins, such as that of {wide[0].metric.name}"
    )
    critical = float(np.quantile(trends.largest, 1 - ALPHA))
    growth = min(
        max(r.growth_inside for r in wide), ((critical + 0.84) / largest) ** 2 if largest else MAX_GROWTH
    )
    if growth >= MAX_GROWTH:
        return Judgement("undecided", reason)
    needed = grown(max(r.n_units for r in asked), growth)
    return Judgement("undecided", f"{reason}; about {needed} personas would settle it", needed)
