"""A mapping: which column of a table means what, read from TOML that people write and saved as such."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from convsim._inputs import read_toml
from convsim._text import listed, nearest
from convsim.errors import InputError
from convsim.io.problems import first_problem, shown
from convsim.schema.conversation import Ending
from convsim.schema.record import Name, Number, Record

Speaker = Literal["user", "agent", "assistant", "system", "tool", "ignore"]
ANY = "*"
"""The value that stands for all that have no line of their own."""
MOST_LISTED = 30
SHAPES = ("messages", "user_text", "agent_text")
"""Meanings of columns whose rows are no messages yet."""


class ColumnMap(Record):
    """Which column means what; what is not stated is guessed, unless the mapping says ``guess = false``."""

    conversation: Name | None = None
    order: Name | None = None
    speaker: Name | None = None
    text: Name | None = None
    user_text: Name | None = None
    agent_text: Name | None = None
    messages: Name | None = None
    user: Name | None = None
    agent: Name | None = None
    arm: Name | None = None
    task: Name | None = None
    simulator: Name | None = None
    items: Name | None = None
    rating: Name | None = None
    ending: Name | None = None
    keep: tuple[Name, ...] | None = None

    def stated(self) -> dict[str, str]:
        """Return the column of each meaning that has one, but for those that are only kept."""
        found = self.model_dump(exclude={"keep"}, exclude_none=True)
        return {meaning: str(column) for meaning, column in found.items()}


class OrderMap(Record):
    """How the order's cells are read: ``number``, ``iso``, ``rfc2822``, or a form of ``strptime``'s."""

    form: Name | None = None


class RatingMap(Record):
    """What a rating becomes: a label, on a scale, from numbers or from the values that a table lists."""

    label: Name = "satisfaction"
    source: Name = "self"
    level: Literal["conversation", "message"] | None = None
    scale: tuple[Number, Number] | None = None
    values: dict[str, Number] = Field(default_factory=dict)


MAPPING = "the mapping"


class TableMapping(Record):
    """A whole mapping, as its file holds it."""

    guess: bool = True
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: Name | None = None
    header: bool | None = None
    sheet: Name | None = None
    columns: ColumnMap = ColumnMap()
    order: OrderMap = OrderMap()
    speakers: dict[str, Speaker] = Field(default_factory=dict)
    rating: RatingMap = RatingMap()
    endings: dict[str, Ending] = Field(default_factory=dict)

    @field_validator("rating")
    @classmethod
    def _scale_goes_up(cls, rating: RatingMap) -> RatingMap:
        if rating.scale and rating.scale[0] >= rating.scale[1]:
            raise ValueError("scale must go from a lower to a higher number")
        return rating

    @classmethod
    def read(cls, path: Path) -> TableMapping:
        """Read a mapping; raises InputError."""
        return cls.of(read_toml(path, what=MAPPING), str(path))

    @classmethod
    def of(cls, content: Mapping[str, object], where: str = MAPPING) -> TableMapping:
        """Check a mapping that is given as its file would hold it; raises InputError, which begins with ``where``."""
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            problem = first_problem(error, content)
            place = problem.field or (MAPPING if where != MAPPING else "")
            raise InputError(f"{where}: {place}{': ' if place else ''}{problem.problem}") from None

    def check_shape(self, path: Path, columns: Iterable[str]) -> None:
        """Check that a table has the columns that messages are taken out of; raises InputError."""
        stated = self.columns.stated()
        self._check(
            path, list(columns), {meaning: stated[meaning] for meaning in SHAPES if meaning in stated}
        )

    def check_columns(self, path: Path, columns: Iterable[str]) -> None:
        """Check that a table of messages has the columns that are named; raises InputError."""
        there = list(columns)
        self._check(path, there, self.columns.stated())
        for name in self.columns.keep or ():
            self._check(path, there, {"keep": name})

    @staticmethod
    def _check(path: Path, there: list[str], stated: dict[str, str]) -> None:
        for meaning, column in stated.items():
            if column not in there:
                near = nearest(column, there)
                hint = f"did you mean {shown(near)}? " if near is not None else ""
                raise InputError(
                    f"{path}: columns.{meaning} = {shown(column)} of the mapping: there is no such column; {hint}"
                    f"it has {listed([shown(name) for name in there], MOST_LISTED)}"
                )

    def to_toml(self, path: Path) -> str:
        """Write the mapping as TOML, with what each part is for."""
        stated = {
            "guess": self.guess,
            "separator": self.separator,
            "encoding": self.encoding,
            "header": self.header,
        }
        lines = [
            f"# How the rows of {one_comment(path.name)} are read as conversations:",
            "#   convsim data import FILE --map THIS_FILE",
            "# guess = false: columns that are not named here mean nothing; true: they are guessed.",
            *(
                f"{key} = {_toml(value)}"
                for key, value in {**stated, "sheet": self.sheet}.items()
                if value is not None
            ),
            "",
            "# conversation, order, speaker, text; or user_text and agent_text of a turn; or messages, all in a cell;",
            "# and user, agent, arm, task, simulator, items, rating, ending. keep: columns that become metadata.",
            "[columns]",
            *(f"{meaning} = {_toml(column)}" for meaning, column in self.columns.stated().items()),
            *([f"keep = {_toml(list(self.columns.keep))}"] if self.columns.keep is not None else []),
        ]
        if self.order.form is not None:
            lines += [
                "",
                "# number, iso, rfc2822 or a form such as %d.%m.%Y %H:%M",
                "[order]",
                f"form = {_toml(self.order.form)}",
            ]
        if self.speakers:
            lines += [
                "",
                "# Who is who: user, agent, system, tool or ignore; * is everybody else.",
                "[speakers]",
            ]
            lines += [f"{_toml(value)} = {_toml(role)}" for value, role in self.speakers.items()]
        if self.columns.rating is not None:
            rating = self.rating
            lines += [
                "",
                "# The label that a rating becomes, who gave it, and the lowest and highest number.",
                "[rating]",
            ]
            lines += [f"label = {_toml(rating.label)}", f"source = {_toml(rating.source)}"]
            lines += [f"level = {_toml(rating.level)}"] if rating.level else []
            lines += [f"scale = {_toml(list(rating.scale))}"] if rating.scale else []
            if rating.values:
                lines += [
                    "[rating.values]",
                    *(f"{_toml(value)} = {_toml(n)}" for value, n in rating.values.items()),
                ]
        if self.endings:
            lines += [
                "",
                "# accepted, left, agent_ended, turn_limit or unknown; * is any other value.",
                "[endings]",
            ]
            lines += [f"{_toml(value)} = {_toml(ending)}" for value, ending in self.endings.items()]
        return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Write a text, a number, a truth value or a list; JSON's escapes are TOML's, but for halves of characters."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def one_comment(text: str) -> str:
    """Return text that may stand in a comment of TOML."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
