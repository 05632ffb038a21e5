"""How often an ending that is read from the text is the one that is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from convsim._inputs import read_toml
from convsim.schema import Interval
from convsim.stats.proportions import Proportion, difference, proportion
from convsim.text.language import ENGLISH
from convsim_validators.endings.followed import HOW, Followed, How, language_of

FILE = Path(__file__).with_name("stand_in_people.toml")
MIN_OF_EACH = 20
"""Conversations recorded as ended so, and as ended otherwise: fewer do not measure how well endings are read."""
STAND_IN = "stand-in people of convsim's demo data, in English"


class _Counts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    read: int
    n: int
    read_of_others: int
    n_others: int


@dataclass(frozen=True)
class Reading:
    """How well one way of ending is read: of those who ended so, and of the others."""

    way: How
    sensitivity: Proportion
    specificity: Proportion
    youden: float
    youden_interval: Interval
    measured_on: str

    @property
    def useless(self) -> str | None:
        """Why what is read says nothing, if so."""
        low, high = self.youden_interval
        if low > 0:
            return None
        return (
            f"read from the text, {self.way} is hardly told from other endings (Youden's J {self.youden:.2f}, "
            f"{low:.2f} to {high:.2f}, on {self.measured_on})"
        )

    def describe(self) -> dict[str, JsonValue]:
        """Return both rates with their Wilson intervals, and Youden's J with Newcombe's."""
        return {
            "way": self.way,
            "measured_on": self.measured_on,
            "sensitivity": _stated(self.sensitivity),
            "specificity": _stated(self.specificity),
            "youden": {"estimate": self.youden, "interval": list(self.youden_interval)},
        }


def reading_of(followed: Followed, way: How) -> Reading | str:
    """Measure how well a way of ending is read where it is recorded, or say why that cannot be measured.

    On the conversations of both files with a recorded ending of the user's; where these are too few, the rates are
    those of stand-in people, in English.
    """
    if followed.unread:
        return followed.unread
    names = {HOW.index("accepted"), HOW.index("left")}
    known = [place for place, how in enumerate(followed.recorded) if int(how) in names]
    wanted = HOW.index(way)
    of_way = [place for place in known if followed.recorded[place] == wanted]
    others = [place for place in known if followed.recorded[place] != wanted]
    if min(len(of_way), len(others)) >= MIN_OF_EACH:
        units = followed.unit_of
        hits = proportion(
            [bool(followed.read[place] == wanted) for place in of_way],
            [int(units[place]) for place in of_way],
            unit="conversations", undefined="",
        )  # fmt: skip
        rejections = proportion(
            [bool(followed.read[place] != wanted) for place in others],
            [int(units[place]) for place in others],
            unit="conversations", undefined="",
        )  # fmt: skip
        return _reading(way, hits, rejections, f"{len(known)} conversations of these files")
    language = language_of(followed.sides.real).of_lists
    if language != ENGLISH:
        return (
            f"endings are not recorded, and how well they are read in {language} is not known: it takes {MIN_OF_EACH} "
            "conversations recorded as accepted and as left"
        )
    counts = _shipped()[way]
    hits, rejections = (
        proportion([True] * yes + [False] * (n - yes), range(n), unit="conversations", undefined="")
        for yes, n in (
            (counts.read, counts.n),
            (counts.n_others - counts.read_of_others, counts.n_others),
        )
    )
    return _reading(way, hits, rejections, STAND_IN)


def _reading(way: How, hits: Proportion, rejections: Proportion, measured_on: str) -> Reading:
    wrongly = _complement(rejections)
    found = difference(hits, wrongly)
    assert found.estimate is not None
    return Reading(way, hits, rejections, found.estimate, found.interval or (-1.0, 1.0), measured_on)


def _complement(of: Proportion) -> Proportion:
    assert of.estimate is not None
    interval = None if of.interval is None else (1 - of.interval[1], 1 - of.interval[0])
    return of.model_copy(update={"estimate": 1 - of.estimate, "interval": interval})


def _stated(rate: Proportion) -> JsonValue:
    return {
        "estimate": rate.estimate, "interval": None if rate.interval is None else list(rate.interval), "n": rate.n,
    }  # fmt: skip


@cache
def _shipped() -> Mapping[str, _Counts]:
    return TypeAdapter(dict[str, _Counts]).validate_python(read_toml(FILE))
