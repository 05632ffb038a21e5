"""Reads results of tau2-bench: the simulated users of its text runs, ``results.json``.

Source: sierra-research/tau2-bench, ``src/tau2/data_model/simulation.py`` (143a213f) and ``message.py``
(2e2a017b): ``Results``, ``Info``, ``SimulationRun``, ``ParticipantMessageBase``, ``ToolMessage``,
``MultiToolMessage``. Unknown keys are kept.

Every user in such a file is simulated. An agent's greeting that opens a conversation stays. Results of tools
are messages of the role ``tool``, and so is what a user says to a tool alone: kept, never counted. The tokens
that end a conversation (``###STOP###`` and the like) are not a user's words: they are cut off, and kept in
``metadata.stop_tokens``. That the user stopped does not say whether it took anything: the ending is unknown.
What broke off is a failure. What is not needed stays in ``metadata``, but for ``raw_data``, which repeats the
messages. The tasks' own texts are not read.

Source: sierra-research/tau2-bench; ``tau2_schema.py`` names the files. Tokens: ``src/tau2/user/
user_simulator_base.py`` (4c0a3b44); reasons of termination: ``simulation.py`` (143a213f).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationError

from convsim.errors import TranscriptError
from convsim.io.documents import Document
from convsim.io.formats.foreign import ForeignPart, Id, ListOrNull
from convsim.io.problems import TOO_MUCH, MalformedError, first_problem, shown
from convsim.io.transcripts import Gathering, Transcripts
from convsim.schema.conversation import Conversation, Ending, Failure, Message, Usage
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


SOURCE = "tau2-bench"
OUT_OF_SCOPE = "###OUT-OF-SCOPE###"
STOP_TOKENS = (OUT_OF_SCOPE, "###STOP###", "###TRANSFER###")
Actor = Literal["shopper", "agent", "model"]
ENDINGS: Mapping[str | None, Ending] = {
    "user_stop": "unknown",
    "agent_stop": "agent_ended",
    "max_steps": "turn_limit",
    None: "unknown",
}
FAILURES: Mapping[str | None, tuple[Ending, Actor | None]] = {
    "too_many_errors": ("agent_failed", "agent"),
    "agent_error": ("agent_failed", "agent"),
    "user_error": ("shopper_failed", "shopper"),
    "out_of_scope": ("shopper_failed", "shopper"),
    "context_window_exceeded": ("unknown", "model"),
    "infrastructure_error": ("unknown", None),
    "unexpected_error": ("unknown", None),
    "timeout": ("unknown", None),
}


def read_tau2(document: Document, *, skip_bad: bool) -> Transcripts:
    """Make conversations of a results file; raises TranscriptError."""
    path = document.path
    if not isinstance(document.content, dict):
        raise TranscriptError(
            path, f"must be an object, as tau2's results are, but is {shown(document.content)}"
        )
    simulations = document.content.get("simulations")
    if not simulations and document.content.get("simulation_index"):
        raise TranscriptError(
            path,
            "contains no conversations: they are in separate files, which are read from a folder simulations beside it",
        )
    if not isinstance(simulations, list):
        found = shown(simulations) if "simulations" in document.content else "missing"
        raise TranscriptError(path, f"must be a list, as tau2 has it, but is {found}", field="simulations")
    info = document.content.get("info")
    try:
        making = _Making(Info.model_validate(info))
    except ValidationError as error:
        bad = first_problem(error, info).inside("info")
        raise TranscriptError(path, bad.problem, field=bad.field) from None
    gathering = Gathering(path, skip_bad=skip_bad)
    for index, simulation in enumerate(simulations):
        gathering.take(None, partial(making.conversation, index, simulation))
    conversations = gathering.finish()
    return Transcripts(
        path, document.sha256, conversations, "tau2", tuple(making.warnings()), gathering.skipped
    )


@dataclass
class _Making:
    """Makes conversations of simulations, and remembers what to warn of."""

    info: Info
    place_of: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    unknown_reasons: set[str] = field(default_factory=set)

    def conversation(self, index: int, document: JsonValue) -> Conversation:
        place = f"simulations[{index}]"
        try:
            simulation = Simulation.model_validate(document)
        except ValidationError as error:
            raise first_problem(error, document).inside(place) from None
        if (first := self.place_of.setdefault(simulation.id, place)) != place:
            problem = f"must be unique, but {shown(simulation.id)} is {first} too"
            raise MalformedError(problem, field=f"{place}.id")
        if not simulation.messages and simulation.ticks:
            raise MalformedError("is spoken (ticks); convsim reads only text", field=place)
        messages = tuple(_messages(simulation.messages, f"{place}.messages"))
        ending, failure = self._ended(simulation, messages)
        metadata = {**simulation.others, "domain": self.info.environment_info.domain_name}
        if simulation.termination_reason is not None:
            metadata["termination_reason"] = simulation.termination_reason
        return Conversation(
            id=simulation.id,
            task=simulation.task_id,
            agent=self.info.agent_info.named,
            shopper=self.info.user_info.implementation,
            simulator=self.info.user_info.named,
            source=SOURCE,
            messages=tuple(m for m in messages if m.role != "user" or m.content or not _stops(m)),
            ending=ending,
            failure=failure,
            usage=self._usage(simulation),
            metadata=metadata | _stop_tokens(messages),
        )

    def _ended(self, simulation: Simulation, messages: tuple[Message, ...]) -> tuple[Ending, Failure | None]:
        tokens = [token for message in messages for token in _stops(message)]
        self.counts["stop tokens"] += len(tokens)
        reason = "out_of_scope" if OUT_OF_SCOPE in tokens else simulation.termination_reason
        if reason in FAILURES:
            ending, actor = FAILURES[reason]
            return ending, Failure(reason=f"tau2: {reason}", actor=actor)
        self.counts["user stops"] += reason == "user_stop"
        if reason not in ENDINGS:
            self.unknown_reasons.add(str(reason))
        return ENDINGS.get(reason, "unknown"), None

    def _usage(self, simulation: Simulation) -> Usage | None:
        """Add up both sides; tau2 writes a cost of 0 where it knows no price, which is read as unknown here."""
        spent = [message.usage for message in simulation.messages if message.usage]
        agent, user = simulation.agent_cost, simulation.user_cost
        cost = agent + user if agent and user else None
        self.counts["unpriced"] += cost is None
        if not spent and cost is None and simulation.duration is None:
            return None
        try:
            return Usage(
                input_tokens=sum(usage.prompt_tokens for usage in spent),
                output_tokens=sum(usage.completion_tokens for usage in spent),
                seconds=simulation.duration or 0.0,
                cost_usd=cost,
            )
        except ValidationError as error:
            raise MalformedError(TOO_MUCH) from error

    def warnings(self) -> Iterator[str]:
        """Yield what the caller must know of what was made."""
        if n := self.counts["stop tokens"]:
            yield f"{n} tau2 stop tokens, such as ###STOP###, are not a user's words and were removed"
        if n := self.counts["user stops"]:
            yield f"{n} users stopped, which does not tell whether they accepted anything: their ending is unknown"
        if n := self.counts["unpriced"]:
            yield f"the cost of {n} conversations is unknown"
        if self.unknown_reasons:
            named = ", ".join(shown(reason, limit=40) for reason in sorted(self.unknown_reasons)[:5])
            yield f"unknown termination reasons, read as an unknown ending: {named}"


def _messages(saved: tuple[SavedMessage, ...], place: str) -> Iterator[Message]:
    for index, message in enumerate(saved):
        if message.is_audio:
            raise MalformedError("is spoken; convsim reads only text", field=f"{place}[{index}].is_audio")
        if message.tool_messages:
            yield from _messages(message.tool_messages, f"{place}[{index}].tool_messages")
            continue
        metadata = message.others
        role = message.role
        if message.tool_calls:
            metadata["tool_calls"] = list(message.tool_calls)
            if role == "user" and not message.content:
                role, metadata["requestor"] = "tool", "user"
        said = message.content or ""
        if role == "user" and (found := [token for token in STOP_TOKENS if token in said]):
            for token in found:
                said = said.replace(token, "")
            said, metadata["stop_tokens"] = said.strip(), [*found]
        yield Message(role=role, content=said, metadata=metadata)


def _stops(message: Message) -> list[str]:
    tokens = message.metadata.get("stop_tokens") if message.role == "user" else None
    return [str(token) for token in tokens] if isinstance(tokens, list) else []


def _stop_tokens(messages: tuple[Message, ...]) -> dict[str, JsonValue]:
    tokens: list[JsonValue] = [token for message in messages for token in _stops(message)]
    return {"stop_tokens": tokens} if tokens else {}
