"""Asks whether simulators order recommenders as people do, or as it is known beforehand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from convsim._async import in_a_thread, outside_loops, stop_if_left
from convsim._progress import step
from convsim._text import listed, one_line
from convsim.errors import InputError
from convsim.evaluation.guards import find_overlap
from convsim.evaluation.ranking.against_people import ranked_against_people
from convsim.evaluation.ranking.known import ranked_by_known_order
from convsim.evaluation.ranking.outcomes import PEOPLE, Outcome, outcome_of_one, outcomes_of_two
from convsim.evaluation.ranking.record import Ranking, SimulatorRanking
from convsim.evaluation.ranking.systems import check_present, checked_order, systems_of
from convsim.evaluation.scorecard import MadeBy
from convsim.evaluation.side_warnings import side_warnings
from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.simulators import Simulators, loaded, named
from convsim.io import Source
from convsim.io.provenance import own_version
from convsim.lifting import AnnotatorLike
from convsim.schema import Metric
from convsim.stats.decision import MIN_UNITS

QUESTION = "Does the simulator order the systems as people do?"
KNOWN_QUESTION = "Do the simulator's outcomes fall in the order that is known?"
NULL = (
    "different: the simulator's differences between systems are at least half of people's; aligned: at least one pair "
    "of systems that people tell apart is not in their order in the simulator (or, of many pairs, a tenth fewer than "
    "between halves of the people); units are users, else personas, else conversations"
)
KNOWN_NULL = (
    "what a simulated user says does not depend on the system; units are personas, else conversations"
)
N_NAMED = 8
SOURCE = (
    "convsim: pairs told apart by Student's t on sums by unit with Holm's correction, redrawn with people's users; "
    "Kendall (1945); Berger (1982)"
)
KNOWN_SOURCE = "Page (1963) within units, Cuzick (1985) between them, by permutation of whole units"


@dataclass(frozen=True)
class _Asked:
    """What is ranked by what."""

    by: str
    outcome: str
    higher_is_better: bool
    only: Sequence[str]
    seed: int
    allow_overlap: bool


@outside_loops
def rank(  # noqa: PLR0913  (what can be asked of a ranking)
    real: Source | None,
    simulators: Simulators,
    *,
    seed: int,
    by: str = "agent",
    outcome: str = "satisfaction",
    higher_is_better: bool = True,
    known_order: Sequence[str] = (),
    only: Collection[str] = (),
    tasks: Collection[str] = (),
    arms: Collection[str] = (),
    annotator: str | AnnotatorLike | None = None,
    allow_overlap: bool = False,
    allow_failures: bool = False,
) -> Ranking:
    """Say whether simulators order recommenders as people do.

    Args:
        real: The people's conversations; None with ``known_order``.
        simulators: The simulated sides, by name or in a row, each with the systems that people met.
        seed: Random seed.
        by: The field whose values tell systems apart: agent, arm, task, fault, severity, source, or another that
            conversations state.
        outcome: What systems are ordered by: a label with numbers, of conversations or the mean of their messages', or
            a metric: a name, or ``module:thing``.
        higher_is_better: Whether more of the outcome is better.
        known_order: In place of people: systems, the best first, whose order is known.
        only: Compare these systems alone.
        tasks: Keep only these tasks on all sides.
        arms: Keep only these arms on all sides.
        annotator: Labels all sides first.
        allow_overlap: Judge simulators even on conversations that they learned from.
        allow_failures: Go on although more than 5 % of a side's conversations failed.

    Raises:
        InputError: A side cannot be read; the field, the outcome or a system is not there; fewer than two systems were
            met by eight units on each side; or an event loop is running already: there it is
            ``await convsim.arank(…)``.
        PluginError: No such metric.
    """
    if (real is None) != bool(known_order):
        raise InputError(
            "expected people's conversations to hold simulators against, or a known order of systems"
        )
    order = checked_order(known_order) if known_order else ()
    asked = _Asked(by, outcome, higher_is_better, [*only], seed, allow_overlap)
    selection = Selection(tasks=tasks, arms=arms, allow_failures=allow_failures)
    sources = named(simulators)
    people = None
    if real is not None:
        people = Side.of(loaded(real), PEOPLE, selection).labelled_by(annotator, PEOPLE)
    ranked: list[SimulatorRanking] = []
    outcomes: list[Outcome] = []
    with step("ranking", len(sources), unit="simulators") as at:
        for name, source in sources.items():
            stop_if_left()
            at.at(now=name)
            side = Side.of(source, name, selection).labelled_by(annotator, name)
            held, first = (
                _by_order(side, name, order, asked)
                if people is None
                else _by_people(people, side, name, asked)
            )
            ranked.append(held)
            outcomes.append(first)
            at.advance()
    metric = _one_metric(outcomes)
    return Ranking(
        real=people.summary if people else None,
        by=by,
        outcome=metric.name,
        unit=metric.unit,
        labelled_by=str(metric.label) if metric.label else None,
        better="higher" if higher_is_better else "lower",
        two_valued=all(each.two_valued for each in outcomes),
        seed=seed,
        made_by=MadeBy(convsim=own_version()),
        question=QUESTION if people else KNOWN_QUESTION,
        null_hypothesis=NULL if people else KNOWN_NULL,
        source=SOURCE if people else KNOWN_SOURCE,
        warnings=people.warnings if people else (),
        simulators=tuple(ranked),
    )


arank = in_a_thread(rank)


def _one_metric(outcomes: Sequence[Outcome]) -> Metric:
    """Return what all sides are ranked by; raises InputError where it is read from other labels for one of them."""
    first, *others = (outcome.metric for outcome in outcomes)
    for other in others:
        if (other.name, other.label) != (first.name, first.label):
            said = [f"{each.name}{f' by {each.label}' if each.label else ''}" for each in (first, other)]
            raise InputError(
                f"the outcome is {one_line(said[0])} for one simulator and {one_line(said[1])} for another, as their "
                "labels are; rank them one by one"
            )
    return first


def _by_people(people: Side, side: Side, name: str, asked: _Asked) -> tuple[SimulatorRanking, Outcome]:
    *corpora, metric = outcomes_of_two(
        people.conversations, side.conversations, asked.outcome, simulator=name
    )
    sides = (people.conversations, side.conversations)
    here, there = (
        Outcome.of(
            corpus, metric, systems_of(corpus.conversations, asked.by, called), called,
            higher_is_better=asked.higher_is_better, sides=sides,
        )
        for corpus, called in zip(corpora, (PEOPLE, name), strict=True)
    )  # fmt: skip
    systems, warnings = _common(here, there, asked)
    here, there = here.keep(systems), there.keep(systems)
    overlap = find_overlap(
        people.conversations, side.conversations, hashes=(people.summary.sha256, side.summary.sha256)
    )
    further = [each.mixed_tasks() for each in (here, there)] if asked.by != "task" else []
    warnings = [
        *side.warnings, *side_warnings(people.conversations, side.conversations), *here.warnings, *there.warnings,
        *warnings, *filter(None, further),
    ]  # fmt: skip
    found = ranked_against_people(
        systems, here, there, name=name, side=side.summary, seed=asked.seed,
        copied=None if asked.allow_overlap else overlap.reason, warnings=[*dict.fromkeys(warnings)],
    )  # fmt: skip
    return found, here


def _by_order(side: Side, name: str, order: Sequence[str], asked: _Asked) -> tuple[SimulatorRanking, Outcome]:
    corpus, metric = outcome_of_one(side.conversations, asked.outcome, simulator=name)
    systems = systems_of(corpus.conversations, asked.by, name)
    outcome = Outcome.of(
        corpus, metric, systems, name, higher_is_better=asked.higher_is_better, sides=(side.conversations,)
    )
    units = outcome.units_by_system
    check_present(order, units, name, why="which the known order has")
    few = [system for system in order if units[system] < MIN_UNITS]
    kept = _enough([system for system in order if system not in few], few, by=asked.by)
    left = [system for system in units if system not in order]
    warnings = [*_few(few, name), *_left_out(left, f"{name} has", "the known order does not")]
    outcome = outcome.keep(kept)
    warnings = [*side.warnings, *outcome.warnings, *warnings]
    found = ranked_by_known_order(
        kept, outcome, name=name, side=side.summary, seed=asked.seed, warnings=warnings
    )
    return found, outcome


def _common(people: Outcome, simulated: Outcome, asked: _Asked) -> tuple[list[str], list[str]]:
    """Return the systems that can be compared, and what is to be said of the others.

    Raises:
        InputError: The simulator lacks one of people's, a system that is asked for is not there, or fewer than two are
            left.
    """
    here, there = people.units_by_system, simulated.units_by_system
    check_present(asked.only, here, PEOPLE, why="which --only asks for")
    wanted = [system for system in here if not asked.only or system in asked.only]
    few = [system for system in wanted if here[system] < MIN_UNITS]
    enough = [system for system in wanted if system not in few]
    check_present(enough, there, simulated.side, why="whom people met")
    few_simulated = [system for system in enough if there[system] < MIN_UNITS]
    kept = _enough([s for s in enough if s not in few_simulated], [*few, *few_simulated], by=asked.by)
    left = [] if asked.only else [system for system in there if system not in here]
    warnings = [
        *_few(few, PEOPLE), *_few(few_simulated, simulated.side),
        *_left_out(left, f"{simulated.side} has", "people did not meet"),
    ]  # fmt: skip
    return kept, warnings


def _enough(kept: list[str], few: Sequence[str], *, by: str) -> list[str]:
    if len(kept) > 1:
        return kept
    have = f"only {one_line(kept[0])!r} has" if kept else "none has"
    least = f" ({len(few)} more have fewer than {MIN_UNITS} users)" if few else ""
    raise InputError(
        f"--by {one_line(by)}: an order needs two systems with {MIN_UNITS} users or more on each side, and {have} "
        f"them{least}; collect more, or tell systems apart by another field"
    )


def _few(systems: Sequence[str], side: str) -> list[str]:
    return [
        f"{side}: fewer than {MIN_UNITS} users met {one_line(system)}, which is left out"
        for system in systems
    ]


def _left_out(systems: Sequence[str], who: str, why: str) -> list[str]:
    if not systems:
        return []
    return [
        f"{who} systems that {why}, left out: {listed([one_line(system) for system in systems], N_NAMED)}"
    ]
