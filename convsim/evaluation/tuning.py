"""What tuning found: weights of simulators or personas, and how near their mixture lies to people not learned from."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import ConfigDict, Field

from convsim.evaluation.scorecard import MadeBy, SideSummary
from convsim.schema import Headline, Interval
from convsim.schema.record import Count, Name, Number, Record, Text

Over = Literal["runs", "personas", "tasks", "settings"]
Outcome = Literal["gained", "nothing_gained", "one"]
"""One: all weight lies on one, which is no mixture."""


class Distance(Record):
    """How far a mixture lies from the held-out people: root mean square of location and spread over metrics."""

    estimate: Number
    interval: Interval
    location: Number
    """Of location alone, as the headline of a scorecard has it."""


class Part(Record):
    """One thing that is weighed: a run, a persona, a task, or a candidate of a grid."""

    name: Name
    n: Count
    """Conversations."""
    weight: Number
    distance: Distance | None = None
    """Of this one alone; null of personas and tasks, which are too small to say."""


class Shown(Record):
    """What the held-out people lose in distance from what was nearest to what was tuned."""

    estimate: Number
    interval: Interval
    over: Text
    """From what: the nearest run, the run as it is, the first candidate."""


class Sampled(Record):
    """What validators say of conversations drawn by the weights, held against the held-out people."""

    n: Count
    headlines: tuple[Headline, ...]


class Tuning(Record):
    """What ``tuned.json`` holds."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.tuning/1"] = Field("convsim.tuning/1", alias="schema")
    over: Over
    outcome: Outcome
    real: SideSummary
    n_learned: Count
    """People, or conversations of unknown ones, from whom weights were learned."""
    n_held_out: Count
    """Those on whom they were judged."""
    metrics: tuple[Name, ...]
    parts: tuple[Part, ...]
    members: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    """The personas of each task, where tasks are weighed."""
    effective_size: Number
    """Conversations that the weighted ones are worth (Kish)."""
    strength: Number | None = None
    """What divergence cost; null where weights were not let move at all."""
    before: Distance
    equal: Distance
    """Of the equal mixture: every run alike, or every persona as often as it was held."""
    after: Distance
    gain: Shown
    sampled: Sampled | None = None
    warnings: tuple[Text, ...] = ()
    seed: int
    made_by: MadeBy | None = None

    def to_json(self) -> str:
        """Return the document as indented JSON with a final newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return the document as JSON has it."""
        return self.model_dump(mode="json", by_alias=True)

    @property
    def heaviest(self) -> Part:
        """What has most weight."""
        return max(self.parts, key=lambda part: part.weight)
