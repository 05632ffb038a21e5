"""The distances of all simulators as a heat map: a table whose cells are coloured, with numbers and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convsim._text import plain
from convsim.evaluation import SimulatorReport
from convsim.evaluation.comparison import Distance
from convsim.metrics import METRICS
from convsim.report.comparison.tables import NONE, headlines_of
from convsim.report.html.text import metric_name
from convsim.report.tables import MARKS, VERDICTS, Kind, kind_of_verdict

MAX_ROWS = 200
MAX_NAME = 60


@dataclass(frozen=True)
class Tile:
    """One cell: what stands in it, how deep its colour is, and its verdict."""

    number: str
    depth: float
    """0 (as people) to 1; 0 where nothing was measured."""
    mark: str
    kind: Kind | None
    verdict: str
    """In words, for whoever does not see colours or know the marks."""


@dataclass(frozen=True)
class HeatRow:
    """One metric or family."""

    name: str
    says: str
    """What it measures; empty where that is not known."""
    tiles: Sequence[Tile]


@dataclass(frozen=True)
class HeatMap:
    """Families of questions, then metrics, those first in which simulators are furthest from people."""

    families: Sequence[HeatRow]
    metrics: Sequence[HeatRow]
    n_hidden: int


def heat_map(order: Sequence[SimulatorReport], families: Sequence[str]) -> HeatMap | None:
    """Prepare the map of simulators in the order of their numbers; None where no metric was measured."""
    known = [{distance.metric: distance for distance in each.distances} for each in order]
    names = list(dict.fromkeys(name for distances in known for name in distances))
    if not names:
        return None
    names.sort(key=lambda name: -max((d.ks or 0.0 for each in known if (d := each.get(name))), default=0.0))
    rows = [HeatRow(_words(name), _says(name), [_tile(each.get(name)) for each in known]) for name in names]
    mean = [
        Tile(_number(each.mean_distance.estimate), _depth(each.mean_distance.estimate), "", None, "")
        for each in order
    ]
    judged = [HeatRow(family, "", [_family(each, family) for each in order]) for family in families]
    together = HeatRow("mean distance", "The average over metrics.", mean)
    return HeatMap(judged, [together, *rows[:MAX_ROWS]], max(0, len(rows) - MAX_ROWS))


def _words(metric: str) -> str:
    return metric_name(metric, limit=MAX_NAME)


def _says(metric: str) -> str:
    known = METRICS.get(metric)
    return plain(known.description, limit=300) if known else ""


def _tile(distance: Distance | None) -> Tile:
    if distance is None:
        return Tile(NONE, 0.0, "", None, "not measured")
    kind = kind_of_verdict(distance.verdict)
    if distance.ks is None:
        return Tile(NONE, 0.0, "", None, "cannot be measured")
    return Tile(_number(distance.ks), _depth(distance.ks), MARKS[kind], kind, VERDICTS[distance.verdict])


def _family(each: SimulatorReport, family: str) -> Tile:
    verdict = next((headline.verdict for headline in headlines_of(each) if headline.name == family), None)
    if verdict is None:
        return Tile(NONE, 0.0, "", None, "not tested")
    kind = kind_of_verdict(verdict)
    return Tile("", 0.0, MARKS[kind], kind, VERDICTS[verdict])


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _depth(value: float | None) -> float:
    return min(1.0, max(0.0, value or 0.0))
