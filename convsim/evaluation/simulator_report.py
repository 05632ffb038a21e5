"""One simulator's part of the comparison, put together from what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from convsim.evaluation import summary
from convsim.evaluation.comparison import Estimate, SimulatorReport
from convsim.evaluation.cost import cost_of
from convsim.evaluation.layout import MEAN_DISTANCE, RELATIVE_HLS, in_section
from convsim.evaluation.leakage import Copied
from convsim.evaluation.pareto import OnFront
from convsim.evaluation.scorecard import Scorecard
from convsim.evaluation.simulators import Contender
from convsim.schema import Standing
from convsim.schema.conversation import Conversation
from convsim.stats.proportions import difference

NOT_PLACED = OnFront(place="undecided", reason="it is held against no other yet")


def simulator_report(
    contender: Contender,
    copied: Copied,
    people: Copied,
    standings: Sequence[Standing],
    *,
    validation: Scorecard | None,
    shift: Scorecard | None,
    known: Collection[str],
) -> SimulatorReport:
    """Put one simulator's numbers together; its place on the front is not yet known.

    Args:
        contender: The simulator's side.
        copied: What it has from others.
        people: The people's own shares.
        standings: Of all simulators.
        validation: Its scorecard on the compared arms.
        shift: Its scorecard of the shift test.
        known: Warnings of the people's side, which are said once.
    """
    findings = validation.findings if validation else ()
    conversations = contender.compared.conversations
    reason = contender.not_judged or copied.overlap.reason
    warnings = validation.warnings if validation else contender.compared.warnings
    return SimulatorReport(
        name=contender.name,
        side=contender.compared.summary,
        failures=contender.n_failed,
        shoppers=tuple(sorted({c.shopper for c in conversations if c.shopper})),
        models=_models(conversations),
        not_judged=contender.not_judged,
        habits=summary.verdicts(in_section(findings, "habits")),
        judged=summary.verdicts(findings),
        distances=summary.distances(findings),
        mean_distance=_standing(standings, *MEAN_DISTANCE, contender.name, reason),
        mean_distance_floor=summary.floor_of_standing(standings, *MEAN_DISTANCE, contender.name),
        hls=summary.hls(findings) if validation else Estimate(reason=contender.not_judged or ""),
        relative_hls=_standing(standings, *RELATIVE_HLS, contender.name, reason),
        reactions=summary.reactions(shift, contender.no_shift),
        endings=dict(sorted(Counter(c.ending for c in conversations).items())),
        overlap=copied.overlap,
        titles_named_early=copied.titles,
        titles_beyond_people=difference(copied.titles, people.titles),
        memorisation=copied.memorisation,
        memorised_beyond_people=difference(copied.memorisation.after_first, people.memorisation.after_first),
        cost=cost_of(conversations),
        front=NOT_PLACED,
        warnings=(*(w for w in warnings if w not in known), *copied.warnings),
        validation=validation,
        counterfactual=shift,
    )


def _models(conversations: Sequence[Conversation]) -> tuple[str, ...]:
    """Name the models behind the shopper, which a run records as ``SHOPPER on MODEL``."""
    named = {(c.simulator, f"{c.shopper} on ") for c in conversations if c.simulator and c.shopper}
    return tuple(sorted(who.removeprefix(start) for who, start in named if who.startswith(start)))


def _standing(
    standings: Sequence[Standing], validator: str, metric: str, name: str, reason: str | None
) -> Estimate:
    found = summary.of_standing(standings, validator, metric, name)
    return found if found.estimate is not None or reason is None else Estimate(reason=reason)
