"""Which way people react when a recommender gets worse, as declared in ``expectations.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from pydantic import TypeAdapter

from convsim._inputs import read_toml
from convsim.schema import Metric

Direction = Literal["increase", "decrease"]
FILE = files("convsim.metrics").joinpath("expectations.toml")


@dataclass(frozen=True)
class Expectation:
    """The direction in which a metric moves as an agent gets worse, and who says so."""

    metric: str
    direction: Direction
    source: str


@lru_cache(maxsize=1)
def expectations() -> Mapping[str, Expectation]:
    """Return the declared expectations by the name of the metric or label."""
    listed = TypeAdapter(list[Expectation]).validate_python(read_toml(FILE)["expectation"])
    return {expectation.metric: expectation for expectation in listed}


def expected_of(metric: Metric) -> Expectation | None:
    """Return what is expected of a metric, a label's by its label; None: nobody knows, or it shows no reaction."""
    if metric.no_reaction:
        return None
    return expectations().get(metric.name if metric.label is None else metric.label.name)
