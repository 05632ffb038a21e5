"""The JSON of MirrorBench's episodes, as a run keeps them.

Source: SAP/mirrorbench, ``mirrorbench/io/artifacts.py`` (``serialize_episode_artifact``) and
``mirrorbench/core/models/plan.py`` (``EvalUnit.unit_id``), of version 0.0.1, whose ``mirrorbench/core/executor/
sync_backend.py`` (1c14571e) writes the files. Unknown keys are kept.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from convsim.io.formats.foreign import ForeignPart, ListOrNull, ObjectOrNull
from convsim.schema.record import Name, Number, Text

NotNegative = Annotated[Number, Field(ge=0)]


class Spoken(ForeignPart):
    """A message of the synthetic dialogue, or of the real one that it mirrors."""

    role: Literal["system", "user", "assistant", "tool"]
    content: Text | None
    metadata: ObjectOrNull = Field(default_factory=dict)


class Spec(ForeignPart):
    """What an episode mirrors; ``chat_history`` is the real dialogue."""

    episode_id: Name
    task_tag: Text | None = None
    chat_history: tuple[Spoken, ...] = ()
    metadata: ObjectOrNull = Field(default_factory=dict)


class Telemetry(ForeignPart):
    """What one answer of a language model took; seconds and USD."""

    tokens_input: NotNegative | None = None
    tokens_output: NotNegative | None = None
    total_response_time: NotNegative | None = None
    cost_usd: NotNegative | None = None


class Episode(ForeignPart):
    """One episode; ``turns`` is the synthetic dialogue."""

    spec: Spec
    turns: tuple[Spoken, ...]
    telemetry: ListOrNull[Telemetry | None] = ()
    errors: ListOrNull[JsonValue] = ()
