"""What a comparison comes to, in sentences: who is on the front, and which lean simulator lost realism."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from convsim._text import plain
from convsim.evaluation import Comparison
from convsim.evaluation.pareto import LeanerPair, Place
from convsim.report.comparison.tables import called, span
from convsim.report.tables import number

UNITS = {"cost_usd": "US dollars", "seconds": "seconds"}
MAX_PAIRS = 12
"""Pairs that are put into sentences; the JSON holds all."""
FRONT: dict[Place, str] = {"on": "On the front", "off": "Off the front", "undecided": "Undecided"}
WORDS = {0.5: "half of", 1 / 3: "a third of", 0.25: "a quarter of", 0.2: "a fifth of", 0.1: "a tenth of"}
"""Ratios that have a word, within a twentieth of themselves."""


def sentences(comparison: Comparison) -> list[str]:
    """Say what was found; names are as they are in the document."""
    return [
        *_arms(comparison),
        *_front(comparison),
        *_leaner(comparison),
        *_copied(comparison),
        *_not_judged(comparison),
    ]


def warnings(comparison: Comparison) -> list[str]:
    """Return the warnings of all sides; one that several simulators share is said once, with their names."""
    shared: dict[str, list[str]] = {}
    for each in comparison.simulators:
        for warning in each.warnings:
            shared.setdefault(warning, []).append(called(each.name))
    return [*comparison.warnings, *(f"{', '.join(names)}: {warning}" for warning, names in shared.items())]


def limits() -> list[str]:
    """Return what a comparison does not show."""
    file = files("convsim.report").joinpath("limitations/side_by_side.txt")
    return file.read_text(encoding="utf-8").splitlines()


def _arms(comparison: Comparison) -> Iterator[str]:
    if comparison.arms:
        both = f"{comparison.control} and {comparison.treatment}"
        aside = "" if comparison.control is None else f"; reactions are between {both}"
        yield f"Compared on the arms: {', '.join(comparison.arms)}{aside}."


def _front(comparison: Comparison) -> Iterator[str]:
    if comparison.cost_axis is None:
        yield "No simulator states its cost, so there is no front of realism against cost."
        return
    yield f"Realism (mean distance) against cost in {UNITS[comparison.cost_axis]} a conversation:"
    for place, said in FRONT.items():
        alike: dict[str, list[str]] = {}
        for each in comparison.simulators:
            if each.front.place == place:
                alike.setdefault(each.front.reason, []).append(called(each.name))
        for reason, names in alike.items():
            yield f"{said}: {', '.join(names)} ({reason})."


def _leaner(comparison: Comparison) -> Iterator[str]:
    ordered = sorted(comparison.leaner, key=_what_is_shown_first)
    for pair in ordered[:MAX_PAIRS]:
        yield _pair(pair)
    if len(ordered) > MAX_PAIRS:
        yield f"{len(ordered) - MAX_PAIRS} more pairs stand in the JSON."


def _what_is_shown_first(pair: LeanerPair) -> int:
    return 0 if pair.lost_realism else 1 if pair.interval[1] < 0 else 2


def _pair(pair: LeanerPair) -> str:
    costs = f"{called(pair.cheaper)} costs {_ratio(pair.cost_ratio)} {called(pair.dearer)}"
    by = f"{number(pair.difference, figures=2)}{span(pair.interval)}"
    if pair.lost_realism:
        return f"{costs} and is further from people: its mean distance is larger by {by}."
    if pair.interval[1] < 0:
        return f"{costs} and is nearer to people: the difference of mean distances is {by}."
    return f"{costs}; that it is further from people is not shown: the difference of mean distances is {by}."


def _ratio(ratio: float) -> str:
    for value, words in WORDS.items():
        if abs(ratio - value) <= value / 20:
            return words
    return f"{ratio:.0%} of" if ratio >= 0.01 else "less than 1% of"


def _copied(comparison: Comparison) -> Iterator[str]:
    """Say who repeats more than people do: who says again what people said is near to them at no merit."""
    people = comparison.people
    for each in comparison.simulators:
        for beyond, own, peoples, does in (
            (each.memorised_beyond_people, each.memorisation.after_first, people.memorisation.after_first,
             "says {} of its {} word for word as in what was learned from"),
            (each.titles_beyond_people, each.titles_named_early, people.titles_named_early,
             "names an item in full before it is shown in {} of its {}"),
        ):  # fmt: skip
            if beyond.interval is not None and beyond.interval[0] > 0:
                said = does.format(f"{own.estimate:.0%}", own.unit)
                yield f"{called(each.name)} {said} (people: {peoples.estimate:.0%})."


def _not_judged(comparison: Comparison) -> Iterator[str]:
    for each in comparison.simulators:
        if each.not_judged:
            yield f"{called(each.name)} is not held against people: {each.not_judged}."
        elif each.overlap.reason:
            yield f"{called(each.name)}: {each.overlap.reason}."
        elif comparison.cost_axis is None and each.mean_distance.estimate is None:
            yield f"{called(each.name)} has no mean distance from people: {each.mean_distance.reason}."


def shown(text: str) -> str:
    """Write a sentence for a terminal: on one line, without control characters."""
    return " ".join(plain(text, limit=1_000).split())
