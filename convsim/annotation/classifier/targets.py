"""What a classifier learns: the labels that one source gave, each with where it stands, its scale and its answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import JsonValue, model_validator

from convsim.annotation.classifier.units import Level
from convsim.annotation.definitions import OTHER, definitions
from convsim.schema.conversation import Label
from convsim.schema.record import Name, Number, Record

ACTS = "acts"


class Target(Record):
    """One label that is learned: acts, of which several may hold at once, or one of a few ordered values."""

    name: Name
    level: Level
    scale: tuple[Number, Number] | None = None
    acts: tuple[Name, ...] = ()
    """The acts that are told apart from their absence, by name; empty for an ordered label."""
    values: tuple[Number, ...] = ()
    """The values of an ordered label, rising; empty for acts."""

    @model_validator(mode="after")
    def _acts_or_values(self) -> Self:
        if bool(self.acts) == bool(self.values) or len(self.values) == 1:
            raise ValueError("a target has acts, or two values and more")
        if list(self.acts) != sorted(set(self.acts)) or list(self.values) != sorted(set(self.values)):
            raise ValueError("acts and values must be distinct and sorted")
        if unknown := set(self.acts) - set(definitions().act_names) | {OTHER} & set(self.acts):
            raise ValueError(f"{sorted(unknown)[0]!r} is no act that can be told from its absence")
        if (
            self.scale
            and self.values
            and not self.scale[0] <= self.values[0] <= self.values[-1] <= self.scale[1]
        ):
            raise ValueError(f"the values {list(self.values)} lie outside the scale {list(self.scale)}")
        return self

    @property
    def kind(self) -> Literal["acts", "ordered"]:
        """Whether several acts may hold, or one value of an order."""
        return "acts" if self.acts else "ordered"

    @property
    def n_questions(self) -> int:
        """Each act is a question (is it there?), and so is each step of an order (is it at least this value?)."""
        return len(self.acts) or len(self.values) - 1

    def asked(self, answer: JsonValue) -> list[float]:
        """Turn a label's value into the answers to the questions, each 0 or 1."""
        if isinstance(answer, list):
            return [float(act in answer) for act in self.acts]
        return [float(_number(answer) >= value) for value in self.values[1:]]

    def said(self, answers: Sequence[bool], source: str) -> Label:
        """Turn the questions' answers into a label.

        An order's value is the number of steps that are taken: answers that contradict one another (at least 3, but
        not at least 2) give a value between (Frank and Hall, 2001, decompose an order in the same way).
        """
        if self.acts:
            held = [act for act, yes in zip(self.acts, answers, strict=True) if yes]
            return Label(value=list[JsonValue](held) or [OTHER], source=source, scale=self.scale)
        value = self.values[sum(answers)]
        return Label(value=int(value) if value.is_integer() else value, source=source, scale=self.scale)


def _number(value: JsonValue) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"an ordered label is a number, not {value!r}")
    return float(value)
