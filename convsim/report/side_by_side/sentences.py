"""What a comparison comes to, in sentences: who is on the front, and which lean simulator lost realism."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from convsim.battery.side_by_side import Comparison
from convsim.battery.side_by_side.front import LeanerPair, Place
from convsim.plain import plain
from convsim.report.side_by_side.tables import span
from convsim.report.words import number

UNITS = {"cost_usd": "US dollars", "seconds": "seconds"}
MAX_PAIRS = 12
"""Pairs that are put into sentences; the JSON holds all."""
FRONT: dict[Place, str] = {"on": "On the front", "off": "Off the front", "undecided": "Undecided"}
WORDS = {0.5: "half of", 1 / 3: "a third of", 0.25: "a quarter of", 0.2: "a fifth of", 0.1: "a tenth of"}
"""Ratios that have a word, within a twentieth of themselves."""


def sentences(comparison: Comparison) -> list[str]:
    """Say what was found; names are as they are in the document."""
    return [*_front(comparison), *_leaner(comparison), *_not_judged(comparison)]


def limits() -> list[str]:
    """Return what a comparison does not show."""
    file = files("convsim.report").joinpath("limitations/side_by_side.txt")
    return file.read_text(encoding="utf-8").splitlines()


def _front(comparison: Comparison) -> Iterator[str]:
    if comparison.cost_axis is None:
        yield "No simulator states its cost, so there is no front of realism against cost."
        return
    yield f"Realism (mean distance) against cost in {UNITS[comparison.cost_axis]} a conversation:"
    for place, said in FRONT.items():
        for each in comparison.simulators:
            if each.front.place == place:
                yield f"{said}: {each.name} ({each.front.reason})."


def _leaner(comparison: Comparison) -> Iterator[str]:
    ordered = sorted(comparison.leaner, key=lambda pair: not pair.lost_realism)
    for pair in ordered[:MAX_PAIRS]:
        yield _pair(pair)
    if len(ordered) > MAX_PAIRS:
        yield f"{len(ordered) - MAX_PAIRS} more pairs stand in the JSON."


def _pair(pair: LeanerPair) -> str:
    costs = f"{pair.cheaper} costs {_ratio(pair.cost_ratio)} {pair.dearer}"
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


def _not_judged(comparison: Comparison) -> Iterator[str]:
    for each in comparison.simulators:
        if each.not_judged:
            yield f"{each.name} is not held against people: {each.not_judged}."
        elif each.overlap.reason:
            yield f"{each.name}: {each.overlap.reason}."


def shown(text: str) -> str:
    """Write a sentence for a terminal: on one line, without control characters."""
    return " ".join(plain(text, limit=1_000).split())
