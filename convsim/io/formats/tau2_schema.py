"""The JSON of tau2-bench's results, as far as its data model defines it and this reader needs it.

Source: sierra-research/tau2-bench, ``src/tau2/data_model/simulation.py`` (143a213f) and ``message.py``
(2e2a017b): ``Results``, ``Info``, ``SimulationRun``, ``ParticipantMessageBase``, ``ToolMessage``,
``MultiToolMessage``. Unknown keys are kept.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from convsim.io.formats.foreign import ForeignPart, Id, ListOrNull
from convsim.schema.record import Count, Flag, Name, Number, Text


class Participant(ForeignPart):
    """Who plays the user or the agent: a class of tau2's, and the language model behind it."""

    implementation: Name
    llm: Name | None = None

    @property
    def named(self) -> str:
        """The name that conversations carry, as convsim names its own shoppers."""
        return self.implementation if self.llm is None else f"{self.implementation} on {self.llm}"


class Environment(ForeignPart):
    """What the agent works in."""

    domain_name: Text | None = None


class Info(ForeignPart):
    """What all simulations of a file have in common."""

    user_info: Participant
    agent_info: Participant
    environment_info: Environment = Environment()


class TokenUsage(ForeignPart):
    """Tokens of one call of a language model."""

    prompt_tokens: Count = 0
    completion_tokens: Count = 0


class SavedMessage(ForeignPart):
    """A message of any role; several results of tools may stand in one."""

    role: Literal["system", "user", "assistant", "tool"]
    content: Text | None = None
    tool_calls: ListOrNull[JsonValue] = ()
    tool_messages: ListOrNull[SavedMessage] = ()
    is_audio: Flag = False
    usage: TokenUsage | None = None
    raw_data: JsonValue = None


class Simulation(ForeignPart):
    """One conversation; ``duration`` in seconds, costs in USD."""

    id: Name
    task_id: Id
    termination_reason: Name | None = None
    duration: Annotated[Number, Field(ge=0)] | None = None
    agent_cost: Annotated[Number, Field(ge=0)] | None = None
    user_cost: Annotated[Number, Field(ge=0)] | None = None
    messages: ListOrNull[SavedMessage] = ()
    ticks: JsonValue = None
