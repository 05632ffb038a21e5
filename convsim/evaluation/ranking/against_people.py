"""One simulator's order of systems beside people's: levels, pairs, numbers and the verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convsim.evaluation.ranking.levels import difference, named_pairs, system_levels
from convsim.evaluation.ranking.numbers import Compared
from convsim.evaluation.ranking.outcomes import FailureMix, Outcome
from convsim.evaluation.ranking.record import (
    Expected,
    Pair,
    RankedNumber,
    Relation,
    SimulatorRanking,
)
from convsim.evaluation.ranking.verdict import ALPHA_OF_EACH, Evidence, Judged, judge_order
from convsim.evaluation.scorecard import SideSummary
from convsim.seeds import generator
from convsim.stats.kept_order import SHOWN, KeptOrder, holm, kept_by_alike, most_tau_b
from convsim.stats.multiplicity import permutation_p_value

AT_LEAST = 0.5
"""Of people's differences that a simulator has to have: as much of the reaction ratio is taken for people's."""
NOT_TOLD = "people tell no two of the systems apart"
ONE_LEVEL = "the simulator has the same level for all systems"
TWO = "two systems are one pair, of which there is no correlation"
OFTEN_UNDEFINED = "no interval: in over a tenth of the draws of users, none are told apart"
NOWHERE = "no system was met in one task on both sides"


def ranked_against_people(
    systems: Sequence[str],
    people: Outcome,
    simulated: Outcome,
    *,
    name: str,
    side: SideSummary,
    seed: int,
    copied: str | None,
    warnings: Sequence[str],
) -> SimulatorRanking:
    """Hold a simulator's order of systems against people's.

    Args:
        systems: Met by enough users of both sides.
        people: Their outcomes with these systems.
        simulated: The simulator's.
        name: What the simulator is called.
        side: Its conversations.
        seed: Moves every draw.
        copied: Why nothing can be decided of a simulator that has these very people's conversations; None: it has not.
        warnings: What a reader has to know of both sides.
    """
    two_valued = people.two_valued and simulated.two_valued
    mix = FailureMix.of(people, simulated, two_valued=two_valued)
    compared = Compared.of(systems, people, simulated, mix, seed=seed)
    order, (here, there) = compared.order, compared.observed
    has_told = bool((order.told != 0).any())
    expected, judged = judged_order(compared, n_people=len(people.values), n_simulated=len(simulated.values))
    if copied is not None:
        judged = Judged("undecided", copied)
    return SimulatorRanking(
        name=name,
        side=side,
        verdict=judged.verdict,
        reason=judged.reason,
        needs=judged.needs,
        systems=system_levels(systems, (people, here), (simulated, there)),
        pairs=_pairs(compared),
        kept_at_half=expected,
        most_tau_b=most_tau_b(order.told) if len(systems) > 2 and has_told else None,
        failure_mix_of=None if isinstance(mix, str) else mix.kind,
        warnings=tuple(warnings),
        **_numbers(compared, mix, sign=people.sign),
    )


def judged_order(compared: Compared, *, n_people: int, n_simulated: int) -> tuple[Expected | None, Judged]:
    """Judge a simulator's order; with what it would keep if its differences were half of people's.

    Args:
        compared: Both sides, and how they vary.
        n_people: Conversations of people.
        n_simulated: Simulated ones.
    """
    order, (here, there) = compared.order, compared.observed
    told = order.told[0] != 0
    expected, p_kept = None, 1.0
    if told.any():
        rng = generator(compared.seed, "ranking", "half")
        drawn = kept_by_alike(order.told, here, there, rng, proportion=AT_LEAST)
        expected = Expected(mean=float(drawn.mean()), limit=float(np.quantile(drawn, ALPHA_OF_EACH)))
        p_kept = permutation_p_value(-float(order.kept[0].sum() / told.sum()), -drawn)
    evidence = Evidence(
        order, named_pairs(compared.systems), compared.interval("agreement"), compared.ceiling.get("agreement"),
        expected, p_kept, n_simulated,
    )  # fmt: skip
    return expected, judge_order(evidence, people=here, n_people=n_people)


def _numbers(compared: Compared, mix: FailureMix | str, *, sign: int) -> dict[str, RankedNumber]:
    nothing = NOT_TOLD if not (compared.order.told != 0).any() else ""
    of_correlations = TWO if len(compared.systems) == 2 else nothing or ONE_LEVEL
    reasons = {
        "agreement": nothing, "kept": nothing, "opposite": nothing, "tau_b": of_correlations,
        "spearman": of_correlations, "calibration_error": NOWHERE,
        "failure_mix": mix if isinstance(mix, str) else "",
    }  # fmt: skip
    found = {}
    for name, values in compared.numbers.items():
        limits = compared.interval(name)
        estimate = None if np.isnan(values[0]) else float(values[0])
        if name == "bias" and estimate is not None:
            estimate *= sign
            limits = limits and (limits if sign > 0 else (-limits[1], -limits[0]))
        reason = reasons.get(name, "") if estimate is None else OFTEN_UNDEFINED if limits is None else ""
        found[name] = RankedNumber(
            estimate=estimate, interval=limits, people=compared.ceiling.get(name), reason=reason
        )
    return found


def _pairs(compared: Compared) -> tuple[Pair, ...]:
    """Return all pairs, the ones that people tell apart first, the surest first."""
    order, (here, there) = compared.order, compared.observed
    adjusted, reversed_ = holm(here.p_two_sided)[0], order.p_reversed[0]
    shown = np.minimum(there.p_above, there.p_below)[0] <= SHOWN
    pairs = []
    for place, names in enumerate(named_pairs(compared.systems)):
        sign = 1 if here.differences[0, place] >= 0 else -1
        better, worse = names[::sign]
        is_told = bool(order.told[0, place])
        relation = _relation(order, place, reversed_[place] <= ALPHA_OF_EACH) if is_told else None
        pairs.append(
            Pair(
                better=better,
                worse=worse,
                people=difference(here, place, sign),
                p_adjusted=float(adjusted[place]),
                told=is_told,
                simulated=difference(there, place, sign),
                relation=relation or ("added" if shown[place] else "tied"),
            )
        )
    return tuple(sorted(pairs, key=lambda pair: (not pair.told, pair.p_adjusted)))


def _relation(order: KeptOrder, place: int, is_reversed: bool) -> Relation:
    if order.kept[0, place]:
        return "kept"
    if order.same[0, place]:
        return "same_way"
    return "reversed" if is_reversed else "opposite_way"


def pair_of_known_order(order: KeptOrder, place: int, names: tuple[str, str], *, is_reversed: bool) -> Pair:
    """Return a pair whose order is known, the better system first."""
    return Pair(
        better=names[0],
        worse=names[1],
        people=None,
        told=True,
        simulated=difference(order.shown, place, 1),
        relation=_relation(order, place, is_reversed),
    )
