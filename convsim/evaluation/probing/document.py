"""The document of a probe: what a shopper would do where people moved, question by question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from convsim.evaluation.scorecard import MadeBy, SideSummary
from convsim.schema import FAILING, Estimate, Verdict
from convsim.schema.conversation import MAX_FAILURE_SHARE, Usage
from convsim.schema.record import Count, Flag, Name, Number, Record, Text

QuestionName = Literal["ending", "decision", "item", "act"]
Split = Literal["all", "outcome", "turn"]
SHOPPER = "shopper"


class Score(Record):
    """How well somebody forecasts people's moves: the shopper, or a baseline."""

    of: Name
    accuracy: Estimate = Estimate()
    """How likely a draw is to be the person's move; of acts, how far they overlap."""
    balanced: Estimate = Estimate()
    """The mean of the accuracy over kinds of move."""
    brier: Estimate = Estimate()


class Part(Record):
    """All places of a question, or those of conversations with one outcome, or of one turn."""

    split: Split
    value: Text
    n: Count
    """Places."""
    n_units: Count
    people: Mapping[Name, Number]
    """The proportion of each kind among people's moves."""
    shopper: Mapping[Name, Number]
    """The same among the shopper's."""
    scores: tuple[Score, ...]
    """The shopper first, then the baselines."""


class Bin(Record):
    """Places at which the shopper makes a kind of move about equally often."""

    kind: Name
    n: Count
    forecast: Number
    happened: Number


class Question(Record):
    """One question about a shopper's moves, and its verdict."""

    name: QuestionName
    question: Text
    verdict: Verdict
    reason: Text
    score: Text
    """What the estimate is: ``Brier score`` (less is better), ``accuracy`` or ``overlap`` (more is better)."""
    estimate: Number | None = None
    against: Text
    """The baseline that is to be beaten."""
    baseline: Number | None = None
    difference: Estimate = Estimate()
    """From the baseline; the interval is of 95 %, over units."""
    p_better: Number | None = None
    """Of H0 "the shopper is no better than the baseline"."""
    p_value: Number | None = None
    """Of H0 "the shopper is no worse than the baseline, and its calibration error is within the margin"."""
    p_adjusted: Number | None = None
    """The same over all questions (Holm)."""
    calibration_error: Estimate | None = None
    margin: Number | None = None
    """Which calibration error is still none."""
    bins: tuple[Bin, ...] = ()
    parts: tuple[Part, ...] = ()
    confusion: Mapping[Name, Mapping[Name, Number]] = Field(default_factory=dict)
    """For each kind of move of people, how often the shopper would have made each kind."""
    total_variation: Estimate | None = None
    """Between the distributions of people's and the shopper's acts."""
    n: Count = 0
    n_units: Count = 0
    left_out: Mapping[Text, Count] = Field(default_factory=dict)
    """Places that do not count here, by why."""
    more_units: Count | None = None
    """About how many more users would decide in four of five cases."""


class Words(Record):
    """How surprised a local model is by people's words, in conversations with one outcome or in all."""

    outcome: Text
    n_messages: Count
    n_units: Count
    n_characters: Count
    n_tokens: Count
    bits_per_character: Estimate
    bits_per_token: Estimate


class Probe(Record):
    """What ``probe.json`` holds."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.probe/1"] = Field("convsim.probe/1", alias="schema")
    real: SideSummary
    shopper: Name
    model: Name | None
    learned: Text
    """What the shopper learned from, and how it was kept from the conversations that it is asked about."""
    seed: int
    draws: Count
    n_places: Count
    """Places at which people moved that can be asked about."""
    n_asked: Count
    n_units: Count
    n_moves: Count
    """Answers that are moves."""
    n_failed: Count
    """Answers that failed: they are no moves."""
    reasons: Mapping[Text, Count] = Field(default_factory=dict)
    """Why answers failed, the commonest first."""
    left_out: Mapping[Text, Count] = Field(default_factory=dict)
    """Conversations about which nothing is asked, by why."""
    is_complete: Flag = True
    """Whether every place was asked as planned."""
    usage: Usage = Field(default_factory=Usage)
    seconds: Number = 0.0
    """Of this call."""
    made_by: MadeBy | None = None
    warnings: tuple[Text, ...] = ()
    questions: tuple[Question, ...] = ()
    words_model: Name | None = None
    words: tuple[Words, ...] = ()
    words_reason: Text = ""
    """Why there is nothing about words, where it was asked."""

    @property
    def too_many_failed(self) -> bool:
        """Whether more than 5 % of the answers failed."""
        return self.n_failed > MAX_FAILURE_SHARE * (self.n_moves + self.n_failed)

    def fails(self, fail_on: Literal["different", "undecided"]) -> bool:
        """Tell whether a gate at ``fail_on`` fails; ``undecided`` includes ``different``."""
        verdicts = FAILING if fail_on == "different" else FAILING | {"undecided", "failed"}
        return any(question.verdict in verdicts for question in self.questions)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``probe.json`` holds, as JSON has it: lists for tuples, None for what is undefined."""
        return self.model_dump(mode="json", by_alias=True)

    def to_json(self) -> str:
        """Return the document as indented JSON with a final newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def __str__(self) -> str:
        from convsim.report.probed import probe_text

        return probe_text(self)

    def __repr__(self) -> str:
        found = ", ".join(f"{question.name} {question.verdict}" for question in self.questions)
        return f"Probe({self.shopper} at {self.n_asked} places of {self.n_units} people: {found or 'nothing judged'})"
