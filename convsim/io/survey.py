"""Reads a survey's answers as labels, by a map that says which question is which label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from convsim._inputs import read_toml
from convsim._text import path_text
from convsim.errors import InputError
from convsim.io.problems import first_problem
from convsim.schema.conversation import Label, Labels
from convsim.schema.record import Name, Number, Record

Level = Literal["session", "turn"]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MappedQuestion(_Row):
    """A question whose answers became labels."""

    level: Level
    question: str
    label: str
    scale: tuple[float, float] | None
    n_numbers: int
    """Answers that became numbers."""
    n_texts: int
    """Answers that stayed text, because no scale of the map has their wordings."""
    texts: tuple[str, ...]
    """Up to five of those wordings."""


class LeftQuestion(_Row):
    """A question whose answers were kept in ``metadata.ratings`` and became no label, and why."""

    level: Level
    question: str
    reason: str
    n: int


class SurveyReport(_Row):
    """How one file's survey was read."""

    map: str
    """The survey map's path, or ``built-in``."""
    mapped: tuple[MappedQuestion, ...]
    left: tuple[LeftQuestion, ...]


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
        raise ValueError(f"is not a regular expression: {error}") from None


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
        content = read_toml(path, what="the survey map", limit=MAX_MAP_BYTES)
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
            return "no pattern matches"
        if len(fitting) > 1:
            return f"patterns of several labels match: {', '.join(sorted(fitting))}"
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


SOURCE = "self"
MAX_TEXTS = 5

Ratings = Mapping[str, JsonValue]


@dataclass
class _Asked:
    """One question at one level: what the map makes of it, and the answers that were given."""

    level: Level
    question: str
    entry: Question | str
    steps: Mapping[str, int] = field(default_factory=dict)
    bounds: tuple[float, float] | None = None
    wordings: set[str] = field(default_factory=set)
    n: int = 0
    n_numbers: int = 0
    texts: Counter[str] = field(default_factory=Counter)


class Survey:
    """The survey of one file; what a question's answers mean depends on all that were given to it."""

    def __init__(self, path: Path | None) -> None:
        """Read the map at ``path``, the built-in one by default; raises InputError."""
        self.map = SurveyMap.read(path)
        self._name = path_text(path) if path else "built-in"
        self._asked: dict[tuple[Level, str], _Asked] = {}
        self._surveys: set[tuple[Level, frozenset[str]]] = set()

    def study(self, level: Level, ratings: Iterable[Ratings]) -> None:
        """Look at all ratings of a level before any is read."""
        for answers in ratings:
            self._surveys.add((level, frozenset(answers)))
            for question, answer in answers.items():
                asked = self._asked.get((level, question))
                if asked is None:
                    asked = _Asked(level, question, self.map.question_of(question))
                    self._asked[level, question] = asked
                asked.n += answer is not None
                wording = wording_of(answer)
                if wording and number_of(answer) is None and wording not in self.map.no_answer:
                    asked.wordings.add(wording)

    def settle(self) -> None:
        """Decide which questions are labels, once all ratings were studied."""
        doubled: set[tuple[Level, str]] = set()
        for level, questions in self._surveys:
            fitting: dict[str, list[str]] = {}
            for question in questions:
                entry = self._asked[level, question].entry
                if isinstance(entry, Question):
                    fitting.setdefault(entry.label, []).append(question)
            doubled.update(
                (level, question) for same in fitting.values() if len(same) > 1 for question in same
            )
        for key, asked in self._asked.items():
            if not isinstance(asked.entry, Question):
                continue
            scale = self.map.scale_of(asked.wordings)
            asked.steps = scale.steps() if scale else {}
            asked.bounds = scale.bounds if scale else asked.entry.scale
            if key in doubled:
                asked.entry = f"another question of the same survey also matches {asked.entry.label}"

    def labels(self, level: Level, ratings: Ratings) -> tuple[Labels, dict[str, JsonValue]]:
        """Return the labels of one set of ratings, and the answers to questions that were left alone."""
        labels: Labels = {}
        left: dict[str, JsonValue] = {}
        for question, answer in ratings.items():
            asked = self._asked[level, question]
            if not isinstance(asked.entry, Question):
                left[question] = answer
            elif answer is not None and answer != "":
                labels[asked.entry.label] = (_label(asked, answer),)
        return labels, left

    def report(self) -> SurveyReport:
        """Report on every question, once all labels were read."""
        mapped = [
            MappedQuestion(
                level=asked.level, question=asked.question, label=asked.entry.label, scale=asked.bounds,
                n_numbers=asked.n_numbers, n_texts=asked.texts.total(),
                texts=tuple(text for text, _ in asked.texts.most_common(MAX_TEXTS)),
            )
            for asked in self._asked.values()
            if isinstance(asked.entry, Question)
        ]  # fmt: skip
        left = [
            LeftQuestion(level=asked.level, question=asked.question, reason=asked.entry, n=asked.n)
            for asked in self._asked.values()
            if isinstance(asked.entry, str)
        ]
        return SurveyReport(map=self._name, mapped=tuple(mapped), left=tuple(left))


def _label(asked: _Asked, answer: JsonValue) -> Label:
    """Make the label; an answer that is not a number, or lies off its scale, stays as it is, without a scale."""
    value = number_of(answer)
    if value is None:
        value = asked.steps.get(wording_of(answer) or "")
    if value is None or (asked.bounds and not asked.bounds[0] <= value <= asked.bounds[1]):
        asked.texts[str(answer)[:60]] += 1
        return Label(value=answer, source=SOURCE)
    asked.n_numbers += 1
    return Label(value=value, source=SOURCE, scale=asked.bounds)
