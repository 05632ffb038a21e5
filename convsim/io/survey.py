"""Reads a survey's answers as labels, by a map, and keeps book of what it mapped and what it left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from convsim.io.survey_map import Question, SurveyMap, number_of, wording_of
from convsim.io.survey_report import LeftQuestion, Level, MappedQuestion, SurveyReport
from convsim.schema.conversation import Label, Labels

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
        self._name = str(path) if path else "built-in"
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
                asked.entry = f"another question of the same survey fits {asked.entry.label} too"

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
    """Make the label; an answer that is no number, or lies off its scale, stays as it is, without a scale."""
    value = number_of(answer)
    if value is None:
        value = asked.steps.get(wording_of(answer) or "")
    if value is None or (asked.bounds and not asked.bounds[0] <= value <= asked.bounds[1]):
        asked.texts[str(answer)[:60]] += 1
        return Label(value=answer, source=SOURCE)
    asked.n_numbers += 1
    return Label(value=value, source=SOURCE, scale=asked.bounds)
