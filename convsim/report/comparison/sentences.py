"""The conclusions of a comparison in sentences: who gives the best value, and which cheaper simulator lost realism."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from convsim._text import listed, plain
from convsim.evaluation import Comparison
from convsim.evaluation.pareto import MAX_NAMED, LeanerPair, Place
from convsim.report.comparison.order import WORST_FIRST, kind_of_simulator, ranking_sentence
from convsim.report.comparison.tables import called
from convsim.report.tables import Kind, number, percent
from convsim.report.versions import version_notes

UNITS = {"cost_usd": "US dollars", "seconds": "seconds"}
MAX_PAIRS = 5
"""Pairs that get a sentence; comparison.json has them all."""
MAX_REASONS = 2
MAX_ALIKE = 8
"""Names of a sentence that says the same of all."""
USUALLY_NEARER = 0.05
"""The proportion of people that lie nearer to what was learned from than 95 % of people do."""
LIKE_PEOPLE: dict[Kind, str] = {
    "alike": "Like people in all that was tested, within the margins",
    "undecided": "Not shown to differ from people, but needs more data",
    "failed": "Could not be judged in all",
    "different": "Not like people",
}
FRONT: dict[Place, str] = {
    "on": "Best value (Pareto front)",
    "off": "Not best value",
    "undecided": "Needs more data",
}


def sentences(comparison: Comparison) -> list[str]:
    """Say what was found; names are as they are in the document."""
    return [
        ranking_sentence(comparison),
        *_budget(comparison),
        *_like_people(comparison),
        *_arms(comparison),
        *_versions(comparison),
        *cost_sentences(comparison),
        *_copied(comparison),
        *_not_judged(comparison),
    ]


def _budget(comparison: Comparison) -> Iterator[str]:
    """Say who takes more than the budget, and of whom that is not known."""
    bounds = ", ".join(map(str, comparison.budget))
    for each in comparison.simulators:
        if each.budget is not None and each.budget.state == "over":
            yield (
                f"{called(each.name)} is over the budget ({bounds}), and in no ranking and not on the Pareto front: "
                f"{each.budget.reason}."
            )
        elif each.budget is not None and each.budget.state == "unknown":
            yield f"Whether {called(each.name)} keeps within the budget ({bounds}) is not known: {each.budget.reason}."


def cost_sentences(comparison: Comparison) -> list[str]:
    """Say who gives the best value, and which cheaper simulator lost realism."""
    return [*_front(comparison), *_leaner(comparison)]


def warnings(comparison: Comparison) -> list[str]:
    """Return all warnings; one that several simulators share appears once, with their names."""
    shared: dict[str, list[str]] = {}
    for each in comparison.simulators:
        for warning in each.warnings:
            shared.setdefault(warning, []).append(called(each.name))
    return [*comparison.warnings, *(f"{', '.join(names)}: {warning}" for warning, names in shared.items())]


def limits() -> list[str]:
    """Return what a comparison does not show."""
    file = files("convsim.report").joinpath("limitations/side_by_side.txt")
    return file.read_text(encoding="utf-8").splitlines()


def _like_people(comparison: Comparison) -> Iterator[str]:
    """Say of whom it is shown that they are like people, of whom that they are not, and who needs more data."""
    groups: dict[Kind, list[str]] = {}
    if len(comparison.simulators) < 2:
        return
    for each in comparison.simulators:
        if (kind := kind_of_simulator(each)) is not None:
            groups.setdefault(kind, []).append(called(each.name))
    if set(groups) == {"different"} and len(groups["different"]) == len(comparison.simulators):
        return  # the sentence on the ranking has said it
    for kind in reversed(WORST_FIRST):
        if kind in groups:
            yield f"{LIKE_PEOPLE[kind]}: {listed(groups[kind], MAX_NAMED)}."


def _arms(comparison: Comparison) -> Iterator[str]:
    if comparison.arms:
        both = f"{comparison.control} and {comparison.treatment}"
        aside = "" if comparison.control is None else f"; reactions compare {both}"
        yield f"Arms compared: {', '.join(comparison.arms)}{aside}."


def _front(comparison: Comparison) -> Iterator[str]:
    if comparison.cost_axis is None:
        yield "No simulator records its cost, so realism cannot be weighed against cost."
        return
    yield f"Realism (mean distance from people) against cost in {UNITS[comparison.cost_axis]} per conversation:"
    for place, said in FRONT.items():
        alike: dict[str, list[str]] = {}
        for each in comparison.simulators:
            if each.front.place == place:
                alike.setdefault(each.front.reason, []).append(called(each.name))
        if len(alike) > MAX_REASONS:  # each would be a sentence that says the same of others
            everyone = [name for names in alike.values() for name in names]
            yield f"{said}: {listed(everyone, MAX_ALIKE)} (comparison.json says why)."
            continue
        for reason, names in alike.items():
            yield f"{said}: {listed(names, MAX_ALIKE)} ({reason})."


def _versions(comparison: Comparison) -> Iterator[str]:
    for each in comparison.versions if len(comparison.versions) > 1 else ():
        yield version_notes(each)[0]


def _leaner(comparison: Comparison) -> Iterator[str]:
    ordered = sorted(comparison.leaner, key=_order)
    for pair in ordered[:MAX_PAIRS]:
        yield _pair(pair)
    if len(ordered) > MAX_PAIRS:
        yield f"{len(ordered) - MAX_PAIRS} more pairs are in comparison.json."


def _order(pair: LeanerPair) -> int:
    return 0 if pair.lost_realism else 1 if pair.interval[1] < 0 else 2


def _pair(pair: LeanerPair) -> str:
    costs = f"{called(pair.cheaper)} is {_saving(pair.cost_ratio)} cheaper than {called(pair.dearer)}"
    low, high = pair.interval
    if pair.lost_realism:
        return f"{costs} and further from people, by {_with_interval(pair.difference, low, high)}."
    if high < 0:
        return f"{costs} and closer to people, by {_with_interval(-pair.difference, -high, -low)}."
    return (
        f"{costs}; which of them is closer to people needs more data (difference of mean distances "
        f"{_with_interval(pair.difference, low, high)})."
    )


def _with_interval(estimate: float, low: float, high: float) -> str:
    written = [number(value, figures=2) for value in (estimate, low, high)]
    return f"{written[0]} (95 % interval {written[1]} to {written[2]})"


def _saving(cost_ratio: float) -> str:
    if cost_ratio < 0.01:
        return "more than 99 %"
    return f"{100 * (1 - cost_ratio):.0f} %" if cost_ratio <= 0.99 else "less than 1 %"


def _copied(comparison: Comparison) -> Iterator[str]:
    """Name the simulators that repeat more than people do: copying people is not being like them."""
    people = comparison.people
    for each in comparison.simulators:
        for beyond, own, peoples, does in (
            (each.memorised_beyond_people, each.memorisation.after_first, people.memorisation.after_first,
             "repeats {} of its {} word for word from the conversations that shoppers learned from"),
            (each.titles_beyond_people, each.titles_named_early, people.titles_named_early,
             "names an item by its full title before it is shown, in {} of its {}"),
        ):  # fmt: skip
            if beyond.interval is not None and beyond.interval[0] > 0:
                what = does.format(percent(own.estimate), own.unit)
                yield f"{called(each.name)} {what} (people: {percent(peoples.estimate)})."
        near = each.nearness.nearer_than_people if each.nearness else None
        if near is not None and near.interval is not None and near.interval[0] > USUALLY_NEARER:
            yield (
                f"{called(each.name)} lies nearer to a conversation learned from than 95 % of people do in "
                f"{percent(near.estimate)} of its conversations (people: 5 %)."
            )


def _not_judged(comparison: Comparison) -> Iterator[str]:
    for each in comparison.simulators:
        if each.not_judged:
            yield f"{called(each.name)} was not compared with people: {each.not_judged}."
        elif each.overlap.reason:
            yield f"{called(each.name)}: {each.overlap.reason}."
        elif comparison.cost_axis is None and each.mean_distance.estimate is None:
            yield f"{called(each.name)} has no mean distance from people: {each.mean_distance.reason}."


def shown(text: str) -> str:
    """Write a sentence for a terminal: on one line, without control characters."""
    return " ".join(plain(text, limit=1_000).split())
