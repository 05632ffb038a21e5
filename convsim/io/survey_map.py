"""The file that says which survey question is which label, and which wording of an answer is which number."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    BeforeValidator,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from convsim.errors import InputError
from convsim.io.problems import first_problem
from convsim.schema.record import Name, Number, Record

BUILT_IN = Path(__file__).with_name("survey.toml")
MAX_MAP_BYTES = 1 << 20
MAX_QUESTION_CHARACTERS = 1000
"""Patterns are searched in no more of a question than this."""

LEADING_NUMBER = re.compile(r"(-?\d{1,6}(?:\.\d{1,6})?)(?:\s*[-–—:.)(]\s*\D.*)?", re.DOTALL)


def _compiled(pattern: object) -> object:
    if not isinstance(pattern, str):
        return pattern
    try:
        return re.compile(pattern, re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None


Pattern = Annotated[re.Pattern[str], BeforeValidator(_compiled)]


class Question(Record):
    """Questions that ``pattern`` is found in are the label; ``scale`` is of answers that are numbers."""

    label: Name
    pattern: Pattern
    scale: tuple[Number, Number] | None = None


class Scale(Record):
    """Wordings of answers by step, lowest first; the lowest step is the number ``low``."""

    name: Name
    low: Annotated[int, Field(strict=True)]
    answers: Annotated[tuple[tuple[Name, ...], ...], Field(min_length=2)]

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest number."""
        return self.low, self.low + len(self.answers) - 1

    def steps(self) -> dict[str, int]:
        """Return the number of each wording."""
        return {wording: self.low + step for step, same in enumerate(self.answers) for wording in same}


class SurveyMap(Record):
    """A whole map, as ``survey.toml`` holds it."""

    question: tuple[Question, ...]
    scale: tuple[Scale, ...] = ()
    negated: Pattern | None = None
    no_answer: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _something_to_map(self) -> Self:
        if not self.question:
            raise ValueError("needs at least one [[question]]")
        return self

    @classmethod
    def read(cls, path: Path | None) -> SurveyMap:
        """Read a map, the built-in one by default; raises InputError."""
        path = path or BUILT_IN
        try:
            if path.stat().st_size > MAX_MAP_BYTES:
                raise InputError(f"{path}: is larger than {MAX_MAP_BYTES >> 20} MiB, and no survey map is")
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{path}: the survey map cannot be read: {error.strerror}") from None
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"{path}: the survey map is not TOML: {error}") from None
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            problem = first_problem(error, content)
            raise InputError(f"{path}: {problem.field or 'the survey map'}: {problem.problem}") from None

    def question_of(self, text: str) -> Question | str:
        """Return the entry that fits a question, or why there is none."""
        text = text[:MAX_QUESTION_CHARACTERS]
        fitting = {question.label: question for question in self.question if question.pattern.search(text)}
        if not fitting:
            return "no pattern fits"
        if len(fitting) > 1:
            return f"patterns of several labels fit: {', '.join(sorted(fitting))}"
        if self.negated and self.negated.search(text):
            return "it is negated"
        return next(iter(fitting.values()))

    def scale_of(self, wordings: Iterable[str]) -> Scale | None:
        """Return the shortest scale that holds all ``wordings``, each on a step of its own."""
        given = set(wordings)
        if not given:
            return None
        for scale in sorted(self.scale, key=lambda scale: len(scale.answers)):
            steps = scale.steps()
            if given <= steps.keys() and len({steps[wording] for wording in given}) == len(given):
                return scale
        return None


def wording_of(answer: JsonValue) -> str | None:
    """Return an answer's wording: lower case, single spaces, no full stop; None where there is none."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, str):
        return " ".join(answer.lower().split()).strip(" .!") or None
    return None


def number_of(answer: JsonValue) -> int | float | None:
    """Return the number that an answer is or begins with; None where it is none."""
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        return answer
    if not isinstance(answer, str) or not (found := LEADING_NUMBER.fullmatch(answer.strip())):
        return None
    value = float(found[1])
    return int(value) if value.is_integer() else value
