"""What a whole study found, in short: the document ``summary.json``."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from convsim.evaluation.scorecard import MadeBy
from convsim.schema.headline import Headline
from convsim.schema.record import Count, Name, Number, Record, Text


class VariantSummary(Record):
    """One run of the study and what was found of it."""

    name: Name
    changes: dict[str, JsonValue]
    """What of the study it changes, by key; empty in a study that varies nothing."""
    folder: Text
    """Its run, relative to the study's folder."""
    planned: Count
    failed: Count
    """Conversations that failed, those of earlier calls included."""
    missing: Count
    cost_usd: Number | None = None
    """Of this call's conversations; null where a price is not known."""
    reason: Text | None = None
    """Why it is not judged, or not run to its end; null where it is."""
    headlines: tuple[Headline, ...] = ()
    """Habits, words and what else was judged, then the whole; empty where nothing was."""
    reactions: tuple[Headline, ...] = ()
    mean_distance: Number | None = None
    hls: Number | None = None
    passed: bool | None = None
    """Whether it passes the study's gate; null without one."""
    simulator: Name | None = None
    """What it was judged as, together with the runs that differ from it in their seed alone; null where by itself."""
    own_distance: Number | None = None
    """The mean distance of this run alone, where several were judged together."""
    pages: dict[str, Text] = Field(default_factory=dict)
    """Its reports, relative to the study's folder, by what they are of."""


class StudySummary(Record):
    """What ``summary.json`` holds."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.study/1"] = Field("convsim.study/1", alias="schema")
    name: Name
    finished: Text
    """When, in UTC, as ISO 8601 has it."""
    made_by: MadeBy
    seed: int
    real: Text | None = None
    """SHA-256 of the people's conversations; null where nothing is judged."""
    judged: Text | None = None
    """A hash of all that was judged, and how: results of the same hash are not computed again."""
    variants: tuple[VariantSummary, ...]
    comparison: Text | None = None
    """The page of the comparison, relative to the study's folder."""

    failed: tuple[Text, ...] = ()
    """Validators that raised; a finding says why."""

    @property
    def together(self) -> list[tuple[VariantSummary, ...]]:
        """The variants, those that were judged together in one group, in the order of their firsts."""
        groups: dict[str, list[VariantSummary]] = {}
        for each in self.variants:
            groups.setdefault(f"run {each.name}" if each.simulator is None else each.simulator, []).append(
                each
            )
        return [*map(tuple, groups.values())]

    @property
    def unfinished(self) -> list[VariantSummary]:
        """The variants that were not run to their end, or could not be judged."""
        return [each for each in self.variants if each.reason is not None]

    def to_json(self) -> str:
        """Return the document as indented JSON with a final newline."""
        told = self.model_dump(mode="json", by_alias=True)
        return json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
