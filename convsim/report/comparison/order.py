"""Who is closest to people: a sentence in plain words, and the simulators in their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from convsim._text import listed
from convsim.evaluation import Comparison, SimulatorReport
from convsim.evaluation.closeness import Closeness, closeness
from convsim.evaluation.headline import STANDS_ON
from convsim.evaluation.pareto import MAX_NAMED
from convsim.report.comparison.tables import (
    NONE,
    Table,
    asked,
    called,
    gate,
    headlines,
    headlines_of,
    mark,
    price,
    runs_of,
    set_to,
    settings_line,
    span,
    versions_table,
)
from convsim.report.tables import MARKS, Kind, counted, kind_of_verdict, number

WORST_FIRST: tuple[Kind, ...] = ("different", "failed", "undecided", "alike")
ORDER_NOTE = (
    "distance: average Kolmogorov-Smirnov distance from people over metrics, 0 (same) to 1, with its 95 % interval. "
    "Human baseline: two random groups of people of these sizes differ by less than {baseline} in 95 of 100 cases. "
    "tied with: simulators, by number, that these data do not show to be closer or further, at 5 % over all pairs "
    "together."
)
BUDGET = {"within": "within", "over": "over", "unknown": "not known"}
MAX_TOLD = 4
"""Simulators whose verdicts are also written in words, with what more data would decide."""
MARKS_NOTE = "like people: "
SEEDS_NOTE = (
    "seeds: runs that differ only in their random seed, compared as one; then the distances of these runs."
)


def kind_of_simulator(each: SimulatorReport) -> Kind | None:
    """Return what is said of a simulator as a whole, the worst of its headlines; None where nothing was judged."""
    kinds = {kind_of_verdict(headline.verdict) for headline in headlines_of(each)}
    return next((kind for kind in WORST_FIRST if kind in kinds), None)


def ranking_sentence(comparison: Comparison) -> str:
    """Say who is closest to people, whether the lead is more than chance, and whether that is like people at all."""
    found = closeness(comparison)
    known = [each for each in comparison.simulators if each.mean_distance.estimate is not None]
    if not found.ordered and known:
        return (
            "Who is closest to people is unknown: no simulator with a known distance keeps within the budget."
        )
    if not found.ordered:
        return "Who is closest to people is unknown: no simulator's distance from them could be measured."
    first, *others = found.ordered
    if not others:
        return _alone(comparison, first)
    return f"{_lead(found)} {_like_people(comparison, first)}".strip()


def ordered(comparison: Comparison) -> list[SimulatorReport]:
    """Return the simulators, the closest to people first; last those whose distance is unknown, or over the budget."""
    known = [*closeness(comparison).ordered]
    names = {each.name for each in known}
    others = [each for each in comparison.simulators if each.name not in names]
    return [*known, *sorted(others, key=lambda each: each.is_over_budget)]


def ranking(comparison: Comparison) -> Table:
    """One row per simulator, the closest to people first: its distance, whom it equals, what was found of it."""
    found, order = closeness(comparison), ordered(comparison)
    place = {each.name: number for number, each in enumerate(order, start=1)}
    measured = {each.name for each in found.ordered}
    families = families_of(comparison)
    with_seeds = any(each.seeds for each in order)
    with_cost = comparison.cost_axis is not None
    rows = []
    for each in order:
        tied = found.tied_with(each.name) if each.name in measured else ()
        at = NONE if each.is_over_budget else place[each.name]
        row = [f"{at} {each.name}", distance_of(each), numbered(place[name] for name in tied)]
        row += [marks_of(each, families)] * bool(families)
        row += [number(each.hls.estimate, figures=2), f"{each.side.n:,}"]
        row += [seeds_of(each)] * with_seeds + [price(comparison, each)] * with_cost
        row += [BUDGET[each.budget.state]] if each.budget else []
        rows.append(row)
    columns = ["simulator", "distance", "tied with", *(["like people"] if families else []), "HLS", "n"]
    columns += ["seeds"] * with_seeds + ["cost"] * with_cost + ["budget"] * bool(comparison.budget)
    notes = [ORDER_NOTE.format(baseline=_baselines(order))]
    if families:
        notes.append(f"{MARKS_NOTE}{', '.join(families)}. {verdict_marks()}.")
    notes.append(
        "HLS: human-likeness score, the average probability of “human”; 0.5 is best. n: conversations."
    )
    notes += [SEEDS_NOTE] * with_seeds
    return Table("closest to people first", columns, rows, "\n".join(notes))


def families_of(comparison: Comparison) -> list[str]:
    """Return the families of questions that any simulator was asked, in their order."""
    known = {headline.name for each in comparison.simulators for headline in headlines_of(each)}
    return [name for name in STANDS_ON if name in known]


def marks_of(each: SimulatorReport, families: Sequence[str]) -> str:
    """Write a mark for each family's verdict."""
    verdicts = {headline.name: headline.verdict for headline in headlines_of(each)}
    return " ".join(mark(verdicts[name]) if name in verdicts else NONE for name in families)


def _baselines(order: Sequence[SimulatorReport]) -> str:
    known = [each.mean_distance_floor.q95 for each in order if each.mean_distance_floor]
    written = list(
        dict.fromkeys(number(value, figures=2) for value in ((min(known), max(known)) if known else ()))
    )
    return " to ".join(written) or NONE


def short_tables(comparison: Comparison) -> Iterator[Table]:
    """Yield the tables that are shown where not all are asked for."""
    yield ranking(comparison)
    if _has_variants(comparison):
        yield set_to(comparison)
    if len(comparison.simulators) <= MAX_TOLD and families_of(comparison):
        yield headlines(comparison)
    if any(each.gate is not None for each in comparison.simulators):
        yield gate(comparison)
    if len(comparison.simulators) <= MAX_TOLD and runs_of(comparison):
        yield asked(comparison)
    if len(comparison.versions) == 1:
        yield versions_table(comparison.versions[0])


def _has_variants(comparison: Comparison) -> bool:
    """Tell whether two simulators are the same shopper, set in different ways: their names may not say how."""
    by_shopper: dict[tuple[str, ...], set[str]] = {}
    for each in comparison.simulators:
        by_shopper.setdefault(tuple(each.shoppers), set()).add(settings_line(each))
    return any(len(found) > 1 for shoppers, found in by_shopper.items() if shoppers)


def distance_of(each: SimulatorReport) -> str:
    """Write a simulator's mean distance from people with its interval."""
    return number(each.mean_distance.estimate, figures=2) + span(each.mean_distance.interval)


def seeds_of(each: SimulatorReport) -> str:
    """Write how many runs were pooled and from where to where their distances go; a dash for one run."""
    if not each.seeds:
        return NONE
    known = [run.mean_distance.estimate for run in each.seeds if run.mean_distance.estimate is not None]
    if not known:
        return f"{len(each.seeds)}"
    return f"{len(each.seeds)}: {number(min(known), figures=2)} to {number(max(known), figures=2)}"


def numbered(places: Iterable[int]) -> str:
    """Write places, runs of them as ``2–5``; a dash where there is none."""
    runs: list[list[int]] = []
    for each in sorted(places):
        if runs and each == runs[-1][-1] + 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    written = [f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(written) or NONE


def _alone(comparison: Comparison, each: SimulatorReport) -> str:
    name = called(each.name)
    match kind_of_simulator(each):
        case "alike":
            return f"{name} is like people in all that was tested, within the margins."
        case "different":
            return f"{name} is not like people: {_told_by(each)}."
        case "undecided":
            return f"Whether {name} is like people needs more data."
        case _:
            return f"{name} lies {number(each.mean_distance.estimate, figures=2)} from people, on average over metrics."


def _lead(found: Closeness) -> str:
    first, others = found.ordered[0], found.ordered[1:]
    ties = found.tied_with(first.name)
    behind = [each.name for each in others if each.name not in ties]
    name = called(first.name)
    if not ties:
        all_others = called(behind[0]) if len(behind) == 1 else f"all {len(behind)} others"
        return f"{name} is closest to people, and its lead over {all_others} is more than chance."
    equal = listed([called(each) for each in ties], MAX_NAMED)
    if not behind:
        return f"Who is closest to people is not shown: {name} leads, but cannot be told apart from {equal}."
    further = called(behind[0]) if len(behind) == 1 else f"the other {len(behind)}"
    return (
        f"{name} is closest to people, but cannot be told apart from {equal}; its lead over {further} is more than "
        "chance."
    )


def _like_people(comparison: Comparison, first: SimulatorReport) -> str:
    kinds = [kind_of_simulator(each) for each in comparison.simulators]
    if all(kind == "different" for kind in kinds):
        return f"None of the {counted(len(kinds), 'simulator', 'simulators')} is like people."
    match kind_of_simulator(first):
        case "alike":
            return "It is like people in all that was tested, within the margins."
        case "different":
            return f"Yet it is not like people: {_told_by(first)}."
        case "undecided":
            return "Whether it is like people needs more data."
        case _:
            return ""


def _told_by(each: SimulatorReport) -> str:
    names = [h.name for h in headlines_of(each) if kind_of_verdict(h.verdict) == "different"]
    return f"{listed(names, 4)} {'differs' if names == ['coherence'] or names == ['diversity'] else 'differ'}"


def verdict_marks() -> str:
    """Write what the marks of verdicts stand for."""
    return (
        f"{MARKS['alike']} alike, {MARKS['different']} different, {MARKS['undecided']} needs more data, "
        f"{NONE} cannot be measured"
    )
