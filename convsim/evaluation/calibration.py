"""The document of a calibration: which adversary was caught by which validator, and how often people were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from convsim.evaluation.scorecard import MadeBy, SideSummary
from convsim.schema.record import Count, Name, Record, Text

OFTEN = 0.8
"""The proportion of runs from which an adversary counts as caught."""


class Trial(Record):
    """One adversary, or other people, held against people of one number."""

    adversary: Name
    line: Text
    """What it does."""
    n: Count
    """People a side."""
    n_runs: Count
    must_catch: tuple[Name, ...] = ()
    """The validators that must catch it; none for other people."""
    caught: Mapping[Name, Count] = Field(default_factory=dict)
    """In how many runs each validator had a finding that fails, by its name; those with none are left out."""
    caught_by_any: Count = 0
    failing_headline: Count = 0
    """In how many runs the headline over all families fails."""
    left_out: Text = ""
    """Why it was not tried: these conversations offer nothing to do it with."""

    @property
    def is_null(self) -> bool:
        """Whether these are other people, whom nothing may catch."""
        return not self.must_catch

    def is_caught_by(self, validator: str) -> bool:
        """Tell whether a validator caught it in four of five runs."""
        return self.n_runs > 0 and self.caught.get(validator, 0) >= OFTEN * self.n_runs

    @property
    def is_caught(self) -> bool:
        """Whether something caught it in four of five runs: no gate would let it pass."""
        return self.n_runs > 0 and self.caught_by_any >= OFTEN * self.n_runs


class Calibration(Record):
    """What ``calibration.json`` holds."""

    model_config = ConfigDict(populate_by_name=True)
    schema_: Literal["convsim.calibration/1"] = Field("convsim.calibration/1", alias="schema")
    real: SideSummary
    n_people: Count
    """Users, or what else is independent: one conversation of each takes part in a run."""
    seed: int
    n_runs: Count
    validators: tuple[Name, ...]
    """Those of the card that every adversary was judged by."""
    sizes: tuple[Count, ...]
    """People a side."""
    made_by: MadeBy | None = None
    warnings: tuple[Text, ...] = ()
    trials: tuple[Trial, ...] = ()
    failed: tuple[Text, ...] = ()
    """What validators raised."""

    def of_size(self, n: int) -> tuple[Trial, ...]:
        """Return the trials with ``n`` people a side."""
        return tuple(trial for trial in self.trials if trial.n == n)

    def passed(self, n: int) -> tuple[Trial, ...]:
        """Return the adversaries that no validator caught in four of five runs."""
        tried = (trial for trial in self.of_size(n) if trial.n_runs and not trial.is_null)
        return tuple(trial for trial in tried if not trial.is_caught)

    def missed(self, n: int) -> tuple[tuple[Trial, str], ...]:
        """Return the adversaries whose own validator was there and did not catch them, with that validator."""
        return tuple(
            (trial, name)
            for trial in self.of_size(n)
            for name in trial.must_catch
            if trial.n_runs and name in self.validators and not trial.is_caught_by(name)
        )

    @property
    def not_installed(self) -> tuple[str, ...]:
        """The validators that must catch some adversary and did not run."""
        wanted = {name for trial in self.trials for name in trial.must_catch}
        return tuple(sorted(wanted - set(self.validators)))

    def to_dict(self) -> dict[str, Any]:
        """Return what ``calibration.json`` holds, as JSON has it."""
        return self.model_dump(mode="json", by_alias=True)

    def to_json(self) -> str:
        """Return the document as indented JSON with a final newline."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
