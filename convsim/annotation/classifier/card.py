"""What a classifier says of itself: what it learned from, how well it did out of fold, and what made it."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from convsim.annotation.classifier.scores import Scores
from convsim.annotation.classifier.targets import Target
from convsim.schema.conversation import LearnedFrom
from convsim.schema.record import Count, Name, Record, Text


class Card(Record):
    """Stands beside the arrays in a classifier's file."""

    version: Name
    """Twelve hexadecimal digits of what decides on labels."""
    features_version: Count
    source: Name
    """Whose labels it learned to give."""
    targets: tuple[Target, ...] = Field(min_length=1)
    scores: tuple[Scores, ...]
    """One a target, in their order; cross-validated."""
    file: Text | None = None
    """Name of the file that it learned from."""
    learned_from: LearnedFrom
    """That file's SHA-256, and the fingerprints of the conversations: labels of these are no prediction."""
    seed: int
    folds: Count
    warnings: tuple[Text, ...] = ()
    convsim: Name
    scikit_learn: Name
    skops: Name

    @model_validator(mode="after")
    def _scores_of_targets(self) -> Self:
        if len(self.scores) != len(self.targets):
            raise ValueError(f"{len(self.targets)} targets have {len(self.scores)} scores")
        if len({(target.name, target.level) for target in self.targets}) < len(self.targets):
            raise ValueError("a target stands twice")
        return self
