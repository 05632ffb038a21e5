"""The rules of a gate's file: which verdicts pass, within which margin, and what becomes of a failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, cast, get_args

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from convsim._text import nearest, one_line
from convsim.evaluation.gate_margins import ALONE, owner_of
from convsim.evaluation.headline import STANDS_ON
from convsim.schema import HeadlineName, Verdict
from convsim.schema.gate import Kind, Severity
from convsim.schema.record import UNKNOWN_KEY, Name, Number, Record

WORDS: Mapping[str, Verdict] = {
    "alike": "aligned",
    "alike_on_average": "aligned",
    "reacts": "aligned",
    "holds": "aligned",
    "broken": "different",
    "needs_more_data": "undecided",
    "reacts_as_people_do": "reacts_as_people",
    "reacts_the_wrong_way": "reacts_wrong_way",
}
"""Verdicts as reports print them, where that is not their name."""
PASSING: tuple[Verdict, ...] = ("aligned", "reacts_as_people", "undecided")
"""What passes where nothing else is said: what ``--fail-on different`` lets pass."""
HEADLINES: tuple[str, ...] = (*get_args(HeadlineName), "all")


def refused(said: str) -> PydanticCustomError:
    """Return an error whose line needs no value beside it."""
    return PydanticCustomError(UNKNOWN_KEY, "{said}", {"said": said})


def _verdict(said: object) -> object:
    """Read a verdict by its name or as reports print it."""
    if not isinstance(said, str):
        return said
    word = "_".join(said.lower().replace("-", " ").replace("_", " ").split())
    word = WORDS.get(word, word)
    if word == "failed":
        raise refused("failed never passes: nothing was found out; name other verdicts")
    known = [verdict for verdict in get_args(Verdict) if verdict != "failed"]
    if word not in known:
        meant = nearest(word, [*known, *WORDS])
        raise refused(
            f"no verdict is called {one_line(said)!r}; "
            + (f"did you mean {meant.replace('_', ' ')!r}?" if meant else f"there are {', '.join(known)}")
        )
    return word


def _verdicts(said: object) -> object:
    if said in ([], ()):
        raise refused("names no verdict, and so nothing would pass; name one, such as 'alike'")
    return (said,) if isinstance(said, str) else said


def _by_name(margin: object) -> object:
    return margin if isinstance(margin, dict) else {ALONE: margin}


def _headline(name: object) -> object:
    if name not in HEADLINES:
        meant = nearest(name, HEADLINES)
        raise refused(
            f"no headline is called so; {f'did you mean {meant!r}?' if meant else 'there are ' + ', '.join(HEADLINES)}"
        )
    return name


Asked = Annotated[HeadlineName | Literal["all"], BeforeValidator(_headline)]
"""A headline that a gate may name."""


class Otherwise(Record):
    """``[default]``: the rule of all that has no table of its own, and what such a table does not say."""

    model_config = ConfigDict(populate_by_name=True)
    passes: Annotated[
        tuple[Annotated[Verdict, BeforeValidator(_verdict)], ...],
        BeforeValidator(_verdicts),
    ] = Field(PASSING, alias="pass")
    severity: Severity = "error"


class Rule(Otherwise):
    """``[headline.NAME]`` or ``[metric.NAME]``: what passes, how far it may be off, and what becomes of a failure."""

    margin: Annotated[
        Mapping[Name, Annotated[Number, Field(gt=0)]], BeforeValidator(_by_name), Field(min_length=1)
    ] = {}

    def with_rest_of(self, default: Otherwise | None) -> Rule:
        """Take from ``[default]`` what is not said here."""
        if default is None:
            return self
        given = {name: getattr(default, name) for name in default.model_fields_set - self.model_fields_set}
        return self.model_copy(update=given)


class Table(NamedTuple):
    """A rule with its place in the gate."""

    kind: Kind
    name: str
    rule: Rule

    @property
    def place(self) -> str:
        """How errors call it: as TOML has it."""
        shown = one_line(self.name)
        bare = shown.replace("_", "").replace("-", "")
        return f"[{self.kind}.{shown}]" if bare.isascii() and bare.isalnum() else f'[{self.kind}."{shown}"]'

    @property
    def stands_on(self) -> tuple[str, str] | None:
        """Validator and metric of the finding that it is about; None for the headline of all."""
        if self.kind == "headline":
            return STANDS_ON.get(cast(HeadlineName, self.name))
        return owner_of(self.name)
