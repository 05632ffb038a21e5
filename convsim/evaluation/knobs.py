"""What is said of a gap between simulator and people, and which setting moves it, as declared in ``knobs.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from convsim._inputs import read_toml
from convsim.schema.record import Name, Record, Text

FILE = files("convsim.evaluation").joinpath("knobs.toml")
ACT = "act_"
"""What the names of metrics of dialogue acts begin with."""
Direction = Literal["more", "less", "narrower", "wider"]
"""Where the simulator lies: it has more or less than people, or varies less or more from one to the next."""


class Knobs(Record):
    """What moves a family of habits, by the direction in which the simulator lies; null where nothing is known."""

    more: Text | None = None
    less: Text | None = None
    narrower: Text | None = None
    wider: Text | None = None


class Wording(Record):
    """How a metric's gap is told; ``{simulated}``, ``{real}`` and ``{times}`` are filled in."""

    family: Name
    more: Text
    less: Text
    spread: Text
    """What varies, as in "… hardly vary"."""
    shown: Literal["most", "first", "last"] = "most"
    """Which message of an example shows it."""


class Table(Record):
    """What ``knobs.toml`` holds."""

    family: Mapping[str, Knobs]
    metric: Mapping[str, Wording]

    def knob(self, family: str | None, direction: Direction | None) -> str | None:
        """Return what moves a family of habits back; None where nothing is declared."""
        if family is None or direction is None:
            return None
        return getattr(self.family[family], direction, None)

    def family_of(self, metric: str) -> str | None:
        """Return the family of a metric; None of one that is not listed."""
        if metric in self.metric:
            return self.metric[metric].family
        return "acts" if metric.startswith(ACT) else None


@lru_cache(maxsize=1)
def knobs() -> Table:
    """Return the declared wordings and knobs."""
    return Table.model_validate(read_toml(FILE))
