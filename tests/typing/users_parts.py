"""Agents, shoppers, annotators, validators and models as a user of convsim writes them; only type checkers run this."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel

import convsim
from convsim.schema import (
    Agent,
    AgentReply,
    Annotation,
    Annotator,
    ChatMessage,
    ChatModel,
    Choice,
    Comparer,
    Completion,
    Corpus,
    Finding,
    PlannedFinding,
    Planner,
    Shopper,
    SimulatorScore,
    UserMove,
    Validator,
)
from convsim.schema.conversation import Conversation, Label, LearnedFrom
from convsim.schema.persona import Persona
from convsim.simulation import Arm


@dataclass(frozen=True)
class FrozenAgent:
    name: str = "frozen"

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        return AgentReply(content=conversation.messages[-1].content)


class ClassNamedAgent:
    name: ClassVar[str] = "named"

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        return AgentReply(content="hi", ends=True)


class PropertyAgent:
    @property
    def name(self) -> str:
        return "property"

    async def reply(self, conversation: Conversation, *, seed: int) -> AgentReply:
        return AgentReply(content="hi")


class SyncAgent:
    def reply(self, messages: list[dict[str, object]]) -> str:
        return f"{len(messages)}"


def function_agent(conversation: Conversation) -> str:
    return conversation.id


async def async_agent(conversation: Conversation, *, seed: int) -> dict[str, object]:
    return {"content": f"{conversation.id} {seed}"}


def streaming_agent(messages: list[dict[str, object]]) -> Iterator[str]:
    yield "hello"


async def async_streaming_agent(conversation: Conversation) -> AsyncIterator[str]:
    yield "hello"


@dataclass(frozen=True)
class FrozenShopper:
    name: str = "mine"
    learned_from: LearnedFrom | None = None

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        return UserMove(action="say", text=persona.need)


class DataDriven:
    name: ClassVar[str] = "data-driven"

    def __init__(self, real: Sequence[Conversation], sha256: str | None = None) -> None:
        self.learned_from = LearnedFrom.of(real, sha256=sha256)

    async def speak(self, conversation: Conversation, persona: Persona, *, seed: int) -> UserMove:
        return UserMove(action="leave")


def function_shopper(conversation: Conversation, persona: Persona) -> tuple[str, str] | str:
    return ("leave", "bye") if conversation.messages else persona.need


@dataclass(frozen=True)
class FrozenAnnotator:
    name: str = "mine"
    source: str = "rules:mine"

    async def annotate(self, conversation: Conversation) -> Annotation:
        return Annotation(conversation={"satisfaction": Label(value=4, source=self.source, scale=(1, 5))})


def function_annotator(conversation: Conversation) -> dict[str, int]:
    return {"satisfaction": 4}


class ClassNamedValidator:
    name: ClassVar[str] = "mine"

    def validate(self, real: Corpus, simulated: Corpus, *, seed: int) -> Sequence[Finding]:
        return []

    def compare(self, real: Corpus, simulated: object, *, seed: int) -> Sequence[SimulatorScore]:
        return []

    def plan(self, real: Corpus, *, n_simulated: Sequence[int], seed: int) -> Sequence[PlannedFinding]:
        return []


def function_validator(real: Corpus, simulated: Corpus) -> float:
    return float(len(real) - len(simulated))


@dataclass(frozen=True)
class FrozenModel:
    name: str = "mine"

    async def complete(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str] = (),
        schema: type[BaseModel] | None = None,
    ) -> Completion:
        return Completion(text="hi", finish_reason="stop")

    async def continue_text(
        self, text: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str] = ()
    ) -> Completion:
        return Completion(text="hi", finish_reason="stop")

    async def choose(
        self, messages: Sequence[ChatMessage], options: Sequence[str], *, temperature: float, seed: int
    ) -> Choice:
        return Choice(index=0, completion=Completion(text="hi", finish_reason="stop"))


AGENTS: list[Agent] = [FrozenAgent(), ClassNamedAgent(), PropertyAgent()]
SHOPPERS: list[Shopper] = [FrozenShopper(), DataDriven([])]
ANNOTATORS: list[Annotator] = [FrozenAnnotator()]
VALIDATORS: list[Validator] = [ClassNamedValidator()]
COMPARERS: list[Comparer] = [ClassNamedValidator()]
PLANNERS: list[Planner] = [ClassNamedValidator()]
MODELS: list[ChatModel] = [FrozenModel()]
PEOPLE = [Persona(id="p", need="boots")]

convsim.Study(FrozenShopper(), FrozenAgent(), PEOPLE, seed=1)
convsim.Study(shopper=function_shopper, agent=function_agent, personas=PEOPLE, seed=1)
for agent in (SyncAgent(), SyncAgent, async_agent, streaming_agent, async_streaming_agent):
    convsim.Study(DataDriven([]), agent, PEOPLE, seed=1)
ARMS: list[str | Arm] = [
    "good",
    Arm("plain", function_agent),
    Arm("streaming", async_streaming_agent),
    Arm("object", SyncAgent(), "rude_text", 0.5),
]
convsim.Study(FrozenShopper(), FrozenAgent(), PEOPLE, seed=1, arms=ARMS)
convsim.validate(
    "real.jsonl",
    "simulated.jsonl",
    seed=1,
    validators=["marginals", function_validator, ClassNamedValidator()],
    annotator=function_annotator,
)
convsim.validate("real.jsonl", "simulated.jsonl", seed=1, annotator=FrozenAnnotator())
